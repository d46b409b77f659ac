//! Response bodies, including broken ones.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame};

/// A body: some bytes, then the end or a fault.
#[derive(Debug)]
pub(super) struct Answer {
    bytes: Option<Bytes>,
    then: Then,
}

/// What follows the bytes of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    End,
    /// White space without end.
    More,
    /// Nothing, while the connection stays open.
    Hang,
    /// The connection is reset after the bytes have been sent.
    Cut,
    CutNow,
}

/// The connection is reset on purpose.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("connection cut on purpose")]
pub(super) struct Cut;

impl Answer {
    pub(super) fn new(bytes: impl Into<Bytes>, then: Then) -> Self {
        Self { bytes: Some(bytes.into()), then }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match self.then {
            Then::End => Poll::Ready(None),
            Then::More => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 16 * 1024]))))),
            // Nothing wakes this task: the connection ends with the client or with the simulator.
            Then::Hang => Poll::Pending,
            Then::Cut => {
                // The reset waits for the next poll, so that the written bytes are sent first.
                self.then = Then::CutNow;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Then::CutNow => Poll::Ready(Some(Err(Cut))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.then == Then::End
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match (&self.bytes, self.then) {
            (Some(bytes), Then::End) => hyper::body::SizeHint::with_exact(bytes.len() as u64),
            _ => hyper::body::SizeHint::default(),
        }
    }
}
