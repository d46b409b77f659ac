//! A server whose system has no thread left.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::fs::{MetadataExt, PermissionsExt},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::within;

#[tokio::test]
async fn running_out_of_threads_does_not_end_the_server() {
    let directory = TempDir::new().unwrap();
    let mut child = start_child(&directory);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.find(|line| line.contains("listening on ")).expect("the child must say so before it ends");
    let address: SocketAddr = listening.rsplit(' ').next().unwrap().parse().unwrap();
    let limited = as_user("prlimit").args(["--nproc=1:1", "--pid", &child.id().to_string()]).status();
    assert!(limited.unwrap().success());
    for path in ["/metrics", "/metrics?scope=exporter", "/", "/sd", "/docs/"] {
        let mut client = within(TcpStream::connect(address)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        within(client.read_to_end(&mut answer)).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"), "{path}: {}", String::from_utf8_lossy(&answer));
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// The child of `descriptors`. Who it runs as may not be let read the program where it is.
fn start_child(directory: &TempDir) -> Child {
    let program = directory.path().join("child");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    as_user(program)
        .args(["--exact", "descriptors::child", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The system limits the threads of everybody but root: root starts a program as somebody else.
fn as_user(program: impl AsRef<OsStr>) -> Command {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=64999", "--regid=64999", "--clear-groups"]).arg(program);
    command
}
