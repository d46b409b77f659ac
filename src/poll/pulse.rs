//! Whether the poller still polls: a question that only its loop answers.

use tokio::sync::{mpsc, oneshot};

/// Asks the poller; cheap to clone.
#[derive(Clone, Debug)]
pub struct Pulse(mpsc::Sender<oneshot::Sender<()>>);

impl Pulse {
    /// A pulse, and the questions that the poller's loop answers.
    pub(crate) fn new() -> (Self, mpsc::Receiver<oneshot::Sender<()>>) {
        let (sender, questions) = mpsc::channel(1);
        (Self(sender), questions)
    }

    /// Waits until the poller has sent what is due and looks for more; false when it has ended.
    pub async fn beat(&self) -> bool {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.is_ok() && answered.await.is_ok()
    }
}
