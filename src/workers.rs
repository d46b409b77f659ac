//! Threads for long work, so that it blocks neither serving nor polling.
//!
//! The threads are started once and run until their owner ends: no thread is started for a request, since the system may have
//! none left, and since the C library keeps memory for every thread that ever ran beside others. If none could be started, the
//! work is done in place.

use std::{
    any::Any,
    future, io, panic,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use tokio::sync::oneshot;
use tracing::warn;

type Job = Box<dyn FnOnce() + Send>;

/// Some threads with one queue.
pub(crate) struct Workers {
    /// `None` without threads.
    jobs: Option<mpsc::Sender<Job>>,
}

impl Workers {
    /// Starts this many threads, or as many as the system allows.
    pub(crate) fn start(name: &str, count: usize) -> Self {
        Self::start_with(name, count, |builder, work| builder.spawn(work).map(drop))
    }

    fn start_with(
        name: &str,
        count: usize,
        spawn: impl Fn(thread::Builder, Box<dyn FnOnce() + Send>) -> io::Result<()>,
    ) -> Self {
        let (jobs, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        let mut started = 0;
        for _ in 0..count {
            let queue = Arc::clone(&queue);
            match spawn(thread::Builder::new().name(name.to_owned()), Box::new(move || work_off(&queue))) {
                Ok(()) => started += 1,
                Err(error) => {
                    warn!(%error, thread.name = name, missing = count - started, "cannot start a thread, continuing without it");
                    break;
                }
            }
        }
        Self { jobs: (started > 0).then_some(jobs) }
    }

    /// Does the work on one of the threads. Work whose caller has gone is not started.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let Some(jobs) = &self.jobs else { return work() };
        let (answer, answered) = oneshot::channel::<Result<T, Box<dyn Any + Send>>>();
        let job = move || {
            if !answer.is_closed() {
                // The caller may have gone meanwhile.
                let _ = answer.send(panic::catch_unwind(AssertUnwindSafe(work)));
            }
        };
        if let Err(mpsc::SendError(job)) = jobs.send(Box::new(job)) {
            job();
        }
        match answered.await {
            Ok(Ok(done)) => done,
            Ok(Err(panic)) => panic::resume_unwind(panic),
            // Not started, which happens only if the caller has gone.
            Err(_) => future::pending().await,
        }
    }
}

fn work_off(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return, // the owner has ended
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;

    async fn thread_of(workers: &Workers) -> ThreadId {
        workers.run(|| thread::current().id()).await
    }

    #[tokio::test]
    async fn work_is_done_aside() {
        let workers = Workers::start("aside", 2);
        assert_ne!(thread_of(&workers).await, thread::current().id());
    }

    #[tokio::test]
    async fn without_any_thread_work_is_done_in_place() {
        let workers = Workers::start_with("none", 2, |_, _| Err(io::ErrorKind::WouldBlock.into()));
        assert_eq!(thread_of(&workers).await, thread::current().id());
    }

    #[tokio::test]
    async fn one_thread_is_enough() {
        let left = Mutex::new(1);
        let workers = Workers::start_with("one", 2, |builder, work| {
            let mut left = left.lock().unwrap();
            if *left == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            *left -= 1;
            builder.spawn(work).map(drop)
        });
        let first = thread_of(&workers).await;
        assert_ne!(first, thread::current().id());
        assert_eq!(thread_of(&workers).await, first);
    }

    #[tokio::test]
    #[should_panic(expected = "a mistake")]
    async fn a_panic_goes_on_where_the_work_is_waited_for() {
        Workers::start("panic", 1).run(|| panic!("a mistake")).await;
    }
}
