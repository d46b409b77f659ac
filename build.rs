//! Tells the binary where it comes from: the commit and the compiler.

use std::{env, process::Command};

fn main() {
    println!("cargo::rerun-if-env-changed=GOOGLE_ANALYTICS_EXPORTER_REVISION");
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/logs/HEAD");
    let given = env::var("GOOGLE_ANALYTICS_EXPORTER_REVISION").ok();
    let revision = given.or_else(|| first_line("git", &["rev-parse", "--short=12", "HEAD"]));
    let compiler = env::var("RUSTC").ok().and_then(|rustc| first_line(&rustc, &["--version"]));
    println!("cargo::rustc-env=BUILD_REVISION={}", revision.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BUILD_RUSTC={}", compiler.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=BUILD_TARGET={}", env::var("TARGET").as_deref().unwrap_or("unknown"));
}

/// What a command prints first; nothing when it cannot run, as in a source archive without git.
fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
}
