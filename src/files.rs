//! Reads files without blocking on a disk that hangs.
//!
//! Knows which files are opened (regular ones), how much of them is read, and how to do such work on a thread of its
//! own with a deadline: a dead network mount may block forever. Refuses to know the content of files. Invariant: an
//! [`Aside`] never has more than one thread, however often its work hangs.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::mpsc::{self, SyncSender},
    thread,
    time::Duration,
};

use rustix::fs::OFlags;
use thiserror::Error as ThisError;
use tokio::sync::oneshot;

/// Why work on files has no result.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ThisError)]
pub enum Hangs {
    /// The deadline passed; the work continues, and its result is dropped.
    #[error("the disk has not answered within {0:?}")]
    Late(Duration),
    /// Earlier work still hangs.
    #[error("the disk does not answer")]
    Busy,
}

impl From<Hangs> for io::Error {
    fn from(hangs: Hangs) -> Self {
        Self::new(io::ErrorKind::TimedOut, hangs)
    }
}

/// Reads a regular file, up to one byte beyond `most`, so that the caller can detect that it is too large.
///
/// # Errors
/// The system's error; also for pipes and devices, which could block.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_with(path, most, OFlags::NONBLOCK)
}

/// The same for a file of the exporter's own, which must not be a symbolic link.
///
/// # Errors
/// As [`read`].
pub fn read_own(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_with(path, most, OFlags::NONBLOCK | OFlags::NOFOLLOW)
}

/// Options for a file of the exporter's own: private, and not a symbolic link.
pub fn own() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(bits(OFlags::NONBLOCK | OFlags::NOFOLLOW));
    options
}

fn read_with(path: &Path, most: u64, flags: OFlags) -> io::Result<Vec<u8>> {
    // Checked first, since opening some devices has effects.
    check(&fs::metadata(path)?)?;
    let file = File::options().read(true).custom_flags(bits(flags)).open(path)?;
    check(&file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Accepts directories: reading them gives a better error.
fn check(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() || metadata.is_dir() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"))
    }
}

fn bits(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// A thread for work on files, which may hang.
#[derive(Clone, Debug)]
pub struct Aside(SyncSender<Job>);

type Job = Box<dyn FnOnce() + Send>;

impl Aside {
    /// Starts the thread. If the system has none, all work is refused as if the disk hung.
    pub fn start(name: &str) -> Self {
        let (sender, jobs) = mpsc::sync_channel::<Job>(1);
        // If the thread cannot be started, the receiver is dropped.
        let _ = thread::Builder::new().name(name.to_owned()).spawn(move || jobs.into_iter().for_each(|job| job()));
        Self(sender)
    }

    /// Does some work and waits for it. Work that has not started by the deadline is never done.
    ///
    /// # Errors
    /// The deadline passed, or earlier work hangs.
    pub async fn run<T: Send + 'static>(
        &self,
        longest: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Hangs> {
        let (answer, mut answered) = oneshot::channel();
        self.send(move || {
            if !answer.is_closed() {
                // The caller may have given up.
                let _ = answer.send(work());
            }
        })?;
        match tokio::time::timeout(longest, &mut answered).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(Hangs::Busy),
            Err(_) => Err(Hangs::Late(longest)),
        }
    }

    /// The same for callers that are not asynchronous: it blocks until the deadline at most.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn wait<T: Send + 'static>(
        &self,
        longest: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Hangs> {
        let (answer, answered) = mpsc::sync_channel(1);
        // The caller may have given up.
        self.send(move || drop(answer.send(work())))?;
        answered.recv_timeout(longest).map_err(|_| Hangs::Late(longest))
    }

    fn send(&self, job: impl FnOnce() + Send + 'static) -> Result<(), Hangs> {
        self.0.try_send(Box::new(job)).map_err(|_| Hangs::Busy)
    }
}

/// Deadline for reading the files of a command or a reload, on a disk that is slow but alive.
pub const READ_DEADLINE: Duration = Duration::from_secs(10);

/// Deadline for checking a file, or reading a small one, while the exporter serves.
pub const LOOK_DEADLINE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command};

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn only_regular_files_are_read_and_no_further_than_asked() {
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("file"), "12345").unwrap();
        assert_eq!(read(&path("file"), 5).unwrap(), b"12345");
        assert_eq!(read(&path("file"), 3).unwrap(), b"1234");
        symlink("file", path("link")).unwrap();
        assert_eq!(read(&path("link"), 5).unwrap(), b"12345");
        assert!(read_own(&path("link"), 5).is_err());
        // To read from it would wait until somebody writes.
        assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
        for other in [path("pipe"), "/dev/zero".into(), "/dev/null".into()] {
            assert_eq!(read(&other, 5).unwrap_err().to_string(), "it is not a file", "{}", other.display());
        }
        assert_eq!(read(directory.path(), 5).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(read(&path("missing"), 5).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn work_that_hangs_is_given_up_and_the_thread_is_used_again() {
        let aside = Aside::start("test");
        let long = Duration::from_secs(60);
        assert_eq!(aside.run(long, || 1).await, Ok(1));
        let (release, released) = mpsc::channel::<()>();
        let short = Duration::from_millis(1);
        assert_eq!(aside.run(short, move || released.recv().is_ok()).await, Err(Hangs::Late(short)));
        // It waits its turn, and the next finds no place.
        let (begun, has_begun) = mpsc::channel::<()>();
        assert_eq!(aside.run(short, move || begun.send(()).is_ok()).await, Err(Hangs::Late(short)));
        assert_eq!(aside.run(short, || ()).await, Err(Hangs::Busy));
        drop(release);
        // Given up before it began, and so never done.
        assert!(has_begun.recv().is_err());
        assert_eq!(aside.run(long, || 2).await, Ok(2));
        assert_eq!(aside.wait(long, || 3), Ok(3));
    }
}
