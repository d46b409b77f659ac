//! The commands on a terminal, and where their output cannot go: what people see, with and without colours and width.

use std::{
    fs::{self, File},
    io::Read,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

use ga4_simulator::{Account, Effect, Fault, Method, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::{exporter::binary, process::Process};

/// A simulator at a standstill and a directory with its key.
struct Place {
    simulator: Simulator,
    directory: TempDir,
}

/// A pseudo-terminal and what was shown on it.
struct Terminal {
    inside: OwnedFd,
    shown: JoinHandle<String>,
}

impl Place {
    async fn new() -> Self {
        let now = Clock::system().now();
        let site = |id: &str| Property::new(id, format!("Site {id}")).currency("EUR").pageviews_per_hour(9_000.0);
        let account = Account::new("8", "Example").property(site("81")).property(site("82"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let simulator = Simulator::start(listener, World::new(8).account(account).token_cost(1), move || now).unwrap();
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("key.json"), simulator.key_file_json()).unwrap();
        Self { simulator, directory }
    }

    /// A command that asks the simulator.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = plain(self.directory.path(), arguments);
        command.args(["--google.credentials-file", "key.json", "--google.data-api-url", self.simulator.base_url()]);
        command.args(["--google.admin-api-url", self.simulator.base_url()]);
        command
    }
}

impl Terminal {
    fn new(columns: u16) -> Self {
        let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&outside).unwrap();
        unlockpt(&outside).unwrap();
        let name = ptsname(&outside, Vec::new()).unwrap();
        let inside = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        tcsetwinsize(inside.as_fd(), Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let shown = thread::spawn(move || {
            let (mut terminal, mut text, mut buffer) = (File::from(outside), Vec::new(), [0; 4096]);
            // A terminal that nobody has open any more ends with an error.
            while let Ok(length @ 1..) = terminal.read(&mut buffer) {
                text.extend_from_slice(&buffer[..length]);
            }
            String::from_utf8_lossy(&text).replace("\r\n", "\n")
        });
        Self { inside, shown }
    }

    fn end(&self) -> Stdio {
        Stdio::from(self.inside.try_clone().unwrap())
    }

    /// Waits for a program; then, what it has shown here.
    async fn after(self, mut child: Child) -> (ExitStatus, String) {
        let Self { inside, shown } = self;
        drop(inside);
        tokio::task::spawn_blocking(move || (child.wait().unwrap(), shown.join().unwrap())).await.unwrap()
    }
}

fn plain(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = binary(directory);
    command.args(arguments);
    command
}

/// Runs a command with stdout on a terminal of this width, and these variables.
async fn shown(place: &Place, columns: u16, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let terminal = Terminal::new(columns);
    let mut command = place.command(arguments);
    command.env("TERM", "xterm-256color").envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(terminal.end()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    // The command keeps its own end of the terminal open.
    drop(command);
    let (status, text) = terminal.after(child).await;
    assert!(status.success(), "{arguments:?}: {text}");
    text
}

#[tokio::test]
async fn width_and_colours_are_those_of_the_terminal() {
    let place = Place::new().await;
    let table = [
        "query",
        "--property",
        "81",
        "--dimensions",
        "pageTitle,pagePath,city",
        "--metrics",
        "pageviews",
        "--limit",
        "20",
    ];
    let widest = |text: &str| text.lines().map(|line| without_styles(line).chars().count()).max().unwrap();
    let wide = shown(&place, 300, &[], &table).await;
    assert!(wide.starts_with("\u{1b}[1mpage_title"), "{wide}");
    let usual = widest(&wide);
    for (columns, variables, is_narrow, has_colour) in [
        (40, &[][..], true, true),
        (40, &[("NO_COLOR", "1")], true, false),
        (40, &[("TERM", "dumb")], true, false),
        (40, &[("CLICOLOR", "0")], true, false),
        (300, &[("COLUMNS", "40")], true, true),
        (0, &[("COLUMNS", "40")], true, true),
        (300, &[("NO_COLOR", "")], false, true),
    ] {
        let text = shown(&place, columns, variables, &table).await;
        assert_eq!(text.contains('\u{1b}'), has_colour, "{columns} {variables:?}: {text}");
        if is_narrow {
            assert!(widest(&text) <= 40, "{columns} {variables:?}:\n{text}");
        } else {
            assert_eq!(widest(&text), usual, "{columns} {variables:?}:\n{text}");
        }
    }
    let check = shown(&place, 80, &[], &["check", "--property", "81"]).await;
    assert!(check.contains("\u{1b}[32mok     \u{1b}[0m sign in: "), "{check}");
    let bare = shown(&place, 80, &[("NO_COLOR", "1")], &["check", "--property", "81"]).await;
    assert!(bare.contains("ok      sign in: ") && !bare.contains('\u{1b}'), "{bare}");
    let listed = shown(&place, 30, &[], &["properties"]).await;
    assert!(listed.starts_with("\u{1b}[1mproperty") && listed.contains("ordinary"), "{listed}");
}

#[tokio::test]
async fn a_pipe_has_neither_width_nor_colours() {
    let place = Place::new().await;
    for arguments in [
        &["query", "--property", "81", "--dimensions", "pageTitle,pagePath,city"][..],
        &["check", "--property", "81"],
        &["properties"],
    ] {
        let piped = Process::start(place.command(arguments).env("TERM", "xterm").env("COLUMNS", "10")).ended().await;
        assert_eq!((piped.code(), piped.stderr.as_str()), (Some(0), ""), "{piped:?}");
        assert!(!piped.stdout.contains('\u{1b}'), "{}", piped.stdout);
        assert!(piped.stdout.lines().any(|line| line.len() > 40), "{}", piped.stdout);
        let forced = Process::start(place.command(arguments).env("CLICOLOR_FORCE", "1")).ended().await;
        assert!(forced.stdout.contains('\u{1b}'), "{}", forced.stdout);
    }
}

#[tokio::test]
async fn only_a_terminal_sees_a_bar() {
    let place = Place::new().await;
    let page = |name: &str| {
        let body = json!({"kind": "analyticsData#runReport", "rowCount": 2,
            "dimensionHeaders": [{"name": "country"}], "metricHeaders": [{"name": "screenPageViews"}],
            "rows": [{"dimensionValues": [{"value": name}], "metricValues": [{"value": "1"}]}],
            "metadata": {"timeZone": "UTC"}});
        Fault::new(Effect::Raw(200, body.to_string())).on(Method::RunReport).once()
    };
    for (term, has_bar) in [("xterm", true), ("dumb", false)] {
        place.simulator.inject(page("a"));
        place.simulator.inject(page("b"));
        let terminal = Terminal::new(100);
        let mut command =
            place.command(&["query", "--property", "81", "--dimensions", "country", "--metrics", "pageviews"]);
        command.env("TERM", term).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(terminal.end());
        let child = command.spawn().unwrap();
        drop(command);
        let (status, text) = terminal.after(child).await;
        assert!(status.success(), "{text}");
        assert_eq!(text.contains("/2 rows"), has_bar, "{term}: {text:?}");
    }
    place.simulator.inject(page("a"));
    place.simulator.inject(page("b"));
    let arguments = ["query", "--property", "81", "--dimensions", "country", "--metrics", "pageviews"];
    let piped = Process::start(&mut place.command(&arguments)).ended().await;
    assert_eq!((piped.code(), piped.stderr.as_str()), (Some(0), ""), "{piped:?}");
}

#[tokio::test]
async fn a_full_disk_is_an_error_of_every_command() {
    let place = Place::new().await;
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let asking = [
        &["query", "--property", "81"][..],
        &["query", "--output", "csv"],
        &["query", "--output", "json"],
        &["check", "--property", "81"],
        &["check", "--property", "81", "--output", "json"],
        &["properties"],
        &["properties", "--output", "yaml"],
        &["properties", "--output", "json"],
    ];
    let offline = [
        &["man"][..],
        &["completions", "bash"],
        &["--help"],
        &["query", "--help"],
        &["--version"],
        &["--config.check"],
    ];
    let asking = asking.into_iter().map(|arguments| place.command(arguments));
    for mut command in asking.chain(offline.into_iter().map(|arguments| plain(place.directory.path(), arguments))) {
        let output = command.stdin(Stdio::null()).stdout(full()).stderr(Stdio::piped()).spawn().unwrap();
        let output = tokio::task::spawn_blocking(|| output.wait_with_output().unwrap()).await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        let expected = "error: cannot print the answer: No space left on device";
        assert!(error.starts_with(expected), "{command:?}: {error}");
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{command:?}: {error}");
    }
}

#[tokio::test]
async fn closed_streams_and_closed_pipes_are_done_without() {
    let place = Place::new().await;
    for closing in [">&-", "2>&-", ">&- 2>&- <&-", "| head -n 1", "| true"] {
        for arguments in [&["query"][..], &["check"], &["properties"], &["man"], &["completions", "zsh"], &["--help"]] {
            let is_offline = !matches!(arguments[0], "query" | "check" | "properties");
            let command = if is_offline { plain(place.directory.path(), arguments) } else { place.command(arguments) };
            let mut shell = Command::new("bash");
            shell.args(["-c", &format!("set -o pipefail; \"$0\" \"$@\" {closing}")]);
            shell.arg(command.get_program()).args(command.get_args()).current_dir(place.directory.path());
            let ended = Process::start(&mut shell).ended().await;
            assert_eq!((ended.code(), ended.stderr.as_str()), (Some(0), ""), "{arguments:?} {closing}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn an_interrupt_ends_a_command_at_once() {
    use std::os::unix::process::ExitStatusExt;

    for method in [Method::RunReport, Method::GetProperty, Method::AccountSummaries, Method::Token] {
        for command in ["query", "check"] {
            let place = Place::new().await;
            place.simulator.inject(Fault::new(Effect::Hang).on(method));
            let process = Process::start(&mut open_to_interrupts(&place.command(&[command])));
            place.simulator.wait_for(|request| request.method == Some(method)).await;
            let ended = process.stopped_by("INT").await;
            assert_eq!(ended.status.signal(), Some(2), "{command} {method:?}: {ended:?}");
            assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        }
    }
}

/// The same command with the usual answer to SIGINT: shells let what they start in the background ignore it, as the suite may be.
fn open_to_interrupts(command: &Command) -> Command {
    let mut fresh = Command::new("env");
    fresh.arg("--default-signal=INT").arg(command.get_program()).args(command.get_args());
    fresh.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    fresh.current_dir(command.get_current_dir().expect("each command has a directory of its own"));
    fresh
}

fn without_styles(line: &str) -> String {
    line.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "")
}
