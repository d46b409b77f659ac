//! The body of a response: a text in memory, or the list of targets, which is built while it is sent.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::target_list::Groups;

/// A response's body.
#[derive(Clone, Debug)]
pub(super) enum Content {
    /// The whole text; empty once it is sent.
    Text(Bytes),
    /// The remaining targets.
    Targets(Groups),
}

impl From<Bytes> for Content {
    fn from(text: Bytes) -> Self {
        Self::Text(text)
    }
}

impl Content {
    fn next_piece(&mut self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(std::mem::take(text)).filter(|text| !text.is_empty()),
            Self::Targets(groups) => groups.next(),
        }
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next_piece().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Text(text) => text.len() as u64,
            Self::Targets(groups) => groups.left(),
        })
    }
}
