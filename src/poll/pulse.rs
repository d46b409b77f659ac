//! Liveness check of the poller, answered only by its loop.

use tokio::sync::{mpsc, oneshot};

/// Asks the poller whether its loop still runs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pulse(mpsc::Sender<oneshot::Sender<()>>);

impl Pulse {
    /// Creates a pulse, and the receiver of its checks for the poller's loop.
    pub(crate) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (sender, questions) = mpsc::channel(1);
        (Self(sender), questions)
    }

    /// Waits until the poller's loop has sent all due requests and answers; returns false if the poller has ended.
    pub async fn beat(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.is_ok() && answered.await.is_ok()
    }
}
