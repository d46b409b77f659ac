//! The exporter as a service of systemd: sockets that are handed over, and its notifications.

use std::{net::TcpListener, os::unix::net::UnixDatagram, path::Path, process::Command, time::Duration};

use tempfile::TempDir;

use crate::{
    exporter::{Exporter, binary, serving},
    process::{Process, eventually},
    worlds::Standstill,
};

/// systemd's end of the socket on which a service reports its state.
struct Listener(UnixDatagram);

impl Listener {
    fn at(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        Self(socket)
    }

    /// Waits for a message that begins like this.
    async fn hears(&self, beginning: &str) -> String {
        eventually(beginning, async || {
            let mut buffer = [0; 1024];
            let length = self.0.recv(&mut buffer).map_err(|error| error.to_string())?;
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.starts_with(beginning) { Ok(message) } else { Err(message) }
        })
        .await
    }
}

/// The same command, started by `systemd-socket-activate` as soon as somebody connects to this address.
fn activated(command: &Command, address: &str, environment: &[String]) -> Command {
    let mut activate = Command::new("systemd-socket-activate");
    activate.args(["--listen", address]);
    let inherited =
        command.get_envs().filter_map(|(name, value)| Some(format!("{}={}", name.to_str()?, value?.to_str()?)));
    for variable in inherited.chain(environment.iter().cloned()) {
        activate.arg(format!("--setenv={variable}"));
    }
    activate.current_dir(command.get_current_dir().unwrap());
    activate.arg(command.get_program()).args(command.get_args());
    activate
}

#[tokio::test]
#[ignore = "needs systemd; see make test"]
async fn it_serves_on_the_socket_of_systemd_and_tells_it_how_it_is() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let told = directory.path().join("notify");
    let systemd = Listener::at(&told);
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = serving(&simulator, directory.path(), "");
    let flags: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    command = binary(directory.path());
    // All but the address.
    command.args(&flags[..flags.len() - 2]).arg("--web.systemd-socket");
    let environment = [format!("NOTIFY_SOCKET={}", told.display()), "WATCHDOG_USEC=400000".to_owned()];
    let mut process = Process::start(&mut activated(&command, &address, &environment));
    process.shows("the socket", |_, stderr| stderr.contains("Listening on").then_some(())).await;

    let waiting = tokio::net::TcpStream::connect(&address).await.unwrap();
    assert_eq!(systemd.hears("READY=1").await, "READY=1\n");
    let exporter = Exporter::of(process).await;
    assert_eq!(exporter.address, address);
    exporter.ready().await;
    systemd.hears("WATCHDOG=1").await;
    systemd.hears("WATCHDOG=1").await;

    exporter.process.signal("HUP");
    let reloading = systemd.hears("RELOADING=1").await;
    assert!(reloading.contains("\nMONOTONIC_USEC="), "{reloading}");
    systemd.hears("READY=1").await;
    drop(waiting);
    let ended = exporter.process.stopped_by("TERM").await;
    systemd.hears("STOPPING=1").await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
}

#[tokio::test]
async fn a_supervisor_that_never_reads_holds_nothing_up() {
    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("notify");
    let _supervisor = Listener::at(&path);
    // As many as fit, so that not one more does.
    let sender = UnixDatagram::unbound().unwrap();
    sender.set_nonblocking(true).unwrap();
    while sender.send_to(b"X=1", &path).is_ok() {}
    let mut command = serving(&simulator, directory.path(), "");
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "20000");
    let exporter = Exporter::of(Process::start(&mut command)).await;
    exporter.ready().await;
    let ended = exporter.process.stopped_by("TERM").await;
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.stderr.contains("cannot notify systemd"), "{ended:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn abstract_sockets_are_notified_too() {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};

    let simulator = Standstill::new().simulator().await;
    let directory = TempDir::new().unwrap();
    let name = format!("google_analytics_exporter-{}", std::process::id());
    let supervisor = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    supervisor.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    let supervisor = Listener(supervisor);
    let mut command = serving(&simulator, directory.path(), "");
    command.env("NOTIFY_SOCKET", format!("@{name}")).env("WATCHDOG_USEC", "400000");
    let exporter = Exporter::of(Process::start(&mut command)).await;
    supervisor.hears("READY=1").await;
    supervisor.hears("WATCHDOG=1").await;
    exporter.process.signal("TERM");
    supervisor.hears("STOPPING=1").await;
}

#[tokio::test]
async fn without_a_socket_it_says_which_unit_is_missing() {
    let directory = TempDir::new().unwrap();
    let ended = Process::start(binary(directory.path()).arg("--web.systemd-socket")).ended().await;
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert_eq!(
        ended.stderr,
        "error: --web.systemd-socket is given, but systemd passed no socket: start \
         google_analytics_exporter.socket before the service, or remove the flag\n"
    );
}
