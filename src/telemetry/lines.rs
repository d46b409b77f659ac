//! Queue of log lines on their way to stderr: its size is limited, and one thread writes.
//!
//! Logging never waits. Lines that cannot be written are dropped and counted. Refuses to know the content of lines.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

use crate::clock::monotonic;

/// The queue of log lines; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Notified when a line was queued or written.
    changed: Condvar,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Vec<u8>>,
    /// Total size of the queued lines.
    bytes: usize,
    /// Whether the thread is writing a line that has already left the queue.
    is_writing: bool,
}

/// A line that is being written by the subscriber; dropping it puts it into the queue.
#[derive(Debug)]
pub struct Line {
    lines: Lines,
    text: Vec<u8>,
}

impl Lines {
    /// Queues a line, or drops and counts it if the queue is full. Never waits for the reader of the log.
    pub fn push(&self, mut line: Vec<u8>) {
        if line.len() > LONGEST_LINE {
            line.truncate(LONGEST_LINE);
            line.extend_from_slice(b" [cut]\n");
        }
        let mut queue = self.queue();
        if queue.bytes + line.len() > MOST_BYTES {
            self.0.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        queue.bytes += line.len();
        queue.lines.push_back(line);
        self.0.changed.notify_all();
    }

    /// Returns the number of lines that were dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Relaxed)
    }

    /// Waits up to `longest` until all lines are written; returns whether they are.
    pub fn flush(&self, longest: Duration) -> bool {
        let deadline = monotonic() + longest;
        let mut queue = self.queue();
        while queue.is_writing || !queue.lines.is_empty() {
            let left = deadline.saturating_duration_since(monotonic());
            if left.is_zero() {
                return false;
            }
            queue = self.0.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Starts the thread that writes to stderr until the process ends. `on_dropped` receives the number of dropped
    /// lines as soon as lines can be written again.
    ///
    /// # Errors
    /// No thread can be started, or no file descriptor is left.
    pub(super) fn write_to_stderr(&self, on_dropped: impl Fn(u64) + Send + 'static) -> io::Result<()> {
        // `io::stderr` is not used, because its lock would be held while nobody reads, and panic messages wait for that lock.
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let lines = self.clone();
        thread::Builder::new().name("log".to_owned()).spawn(move || lines.write_to(stderr, on_dropped))?;
        Ok(())
    }

    fn write_to(&self, mut out: impl Write, on_dropped: impl Fn(u64)) {
        let mut reported = 0;
        loop {
            let (line, is_last) = self.next();
            let written = write_whole(&mut out, &line);
            self.queue().is_writing = false;
            self.0.changed.notify_all();
            if written.is_err() {
                self.0.dropped.fetch_add(1, Ordering::Relaxed);
            } else if is_last && self.dropped() > reported {
                let dropped = self.dropped();
                on_dropped(dropped - reported);
                reported = dropped;
            }
        }
    }

    /// Waits for a line; returns it and whether the queue is now empty.
    fn next(&self) -> (Vec<u8>, bool) {
        let mut queue = self.queue();
        loop {
            if let Some(line) = queue.lines.pop_front() {
                queue.bytes -= line.len();
                queue.is_writing = true;
                return (line, queue.lines.is_empty());
            }
            queue = self.0.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { lines: self.clone(), text: Vec::new() }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            self.lines.push(std::mem::take(&mut self.text));
        }
    }
}

/// Writes all of `line`. Waits if the pipe is non-blocking, which another process that shares it may have set.
fn write_whole(out: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match out.write(line) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => line = line.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Limit of queued lines, in bytes: enough for 4,000 properties that all fail at once.
const MOST_BYTES: usize = 1 << 20;

/// Limit of one line, in bytes. Foreign text in a line is cut to much less.
const LONGEST_LINE: usize = 64 << 10;

const PAUSE: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A full pipe: sends what is written to the test and blocks until the test has received it.
    struct Pipe(mpsc::SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(number: usize) -> Vec<u8> {
        format!("{number:0>1023}\n").into_bytes()
    }

    #[test]
    fn lines_that_nobody_reads_are_dropped_and_counted() {
        let lines = Lines::default();
        for number in 0..MOST_BYTES / 1024 + 7 {
            lines.push(line(number));
        }
        assert_eq!(lines.dropped(), 7);
        assert!(!lines.flush(Duration::ZERO), "nobody writes");

        let (sender, pipe) = mpsc::sync_channel(0);
        let (reports, reported) = mpsc::channel();
        let writer = lines.clone();
        thread::spawn(move || writer.write_to(Pipe(sender), move |count| reports.send(count).unwrap()));
        for number in 0..MOST_BYTES / 1024 {
            assert_eq!(pipe.recv().unwrap(), line(number), "in order, and none is missing between");
        }
        assert_eq!(reported.recv().unwrap(), 7);
        assert!(lines.flush(Duration::from_secs(60)));
        lines.push(line(1));
        assert_eq!(pipe.recv().unwrap(), line(1));
        drop(pipe);
        lines.push(line(2));
        assert!(lines.flush(Duration::from_secs(60)));
        while lines.dropped() < 8 {
            thread::yield_now();
        }
    }

    #[test]
    fn an_endless_line_is_cut() {
        let lines = Lines::default();
        lines.push(vec![b'x'; 2 * MOST_BYTES]);
        let (line, is_last) = lines.next();
        assert!(is_last && line.len() < LONGEST_LINE + 10 && line.ends_with(b" [cut]\n"));
    }

    #[test]
    fn a_pipe_that_another_process_made_non_blocking_loses_nothing() {
        struct Hesitant(Vec<u8>, bool);
        impl Write for Hesitant {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                self.0.extend(bytes.first());
                Ok(1)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut pipe = Hesitant(Vec::new(), false);
        write_whole(&mut pipe, b"a line\n").unwrap();
        assert_eq!(pipe.0, b"a line\n");
    }
}
