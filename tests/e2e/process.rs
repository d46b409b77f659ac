//! Child processes whose output is kept, and waiting for what they do.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// A running program; killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: Output,
    stderr: Output,
}

/// What a program has done, once it has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// One stream of a program, as far as it has been written.
struct Output {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a program without input.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::start_into(command, Stdio::piped())
    }

    /// The same with another stderr, which is then not kept.
    pub(crate) fn start_into(command: &mut Command, stderr: impl Into<Stdio>) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        let stdout = Output::of(child.stdout.take().unwrap());
        let stderr = child.stderr.take().map_or_else(|| Output::of(std::io::empty()), Output::of);
        Self { child, stdout, stderr }
    }

    /// What it has written to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What it has written to stderr so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits for something in its output; `find` sees stdout and stderr.
    pub(crate) async fn shows<T>(&mut self, what: &str, find: impl Fn(&str, &str) -> Option<T>) -> T {
        eventually(what, async || {
            let (stdout, stderr) = (self.stdout(), self.stderr());
            if let Some(found) = find(&stdout, &stderr) {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("{what}: it has ended with {status}:\n{stdout}{stderr}");
            }
            Err(format!("{stdout}{stderr}"))
        })
        .await
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status().unwrap();
        assert!(status.success(), "kill -s {name} {id}");
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(mut self) -> Ended {
        let status =
            eventually("the end of a program", async || self.child.try_wait().unwrap().ok_or_else(|| self.stderr()))
                .await;
        Ended { status, stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }

    /// Ends it by a signal, and waits for that.
    pub(crate) async fn stopped_by(self, signal: &str) -> Ended {
        self.signal(signal);
        self.ended().await
    }
}

impl Ended {
    /// The exit code; a signal is none.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Output {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                written.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Everything, after the program has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// Asks again and again until there is an answer. Panics with the last refusal when that takes too long.
pub(crate) async fn eventually<T>(what: &str, attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    within(DEADLINE, what, attempt).await
}

/// The same for what takes its time.
pub(crate) async fn within<T>(
    deadline: Duration,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let mut refusal = String::new();
    let answer = tokio::time::timeout(deadline, async {
        loop {
            match attempt().await {
                Ok(answer) => return answer,
                Err(why) => refusal = why,
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
    match answer.await {
        Ok(answer) => answer,
        Err(_) => panic!("{what}: not within {deadline:?}; last seen:\n{refusal}"),
    }
}

/// Far longer than anything takes, so that a busy machine fails no test.
const DEADLINE: Duration = Duration::from_mins(5);

const PAUSE: Duration = Duration::from_millis(50);
