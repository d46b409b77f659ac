//! A PostgreSQL server of a test's own: on a Unix socket, and on loopback with TLS by a certificate authority of its own.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// A running server; dropping it ends it.
pub(crate) struct Server {
    pub(crate) directory: TempDir,
    pub(crate) port: u16,
    process: Option<Child>,
    owner: Option<(u32, u32)>,
}

/// What the role `exporter` signs in with over TLS.
pub(crate) const PASSWORD: &str = "correct horse";

impl Server {
    /// Starts one with a database `ga`, and the roles `exporter`, with a password, and `plain`, without.
    pub(crate) fn start() -> Self {
        let owner = owner();
        let directory = tempfile::Builder::new().prefix("ga-pg").tempdir_in("/tmp").unwrap();
        if let Some((user, group)) = owner {
            chown(directory.path(), Some(user), Some(group)).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { directory, port, process: None, owner };
        let data = server.path("data");
        server
            .run("initdb", &["-D", data.to_str().unwrap(), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8"]);
        server.make_certificates();
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{directory}'\nfsync = off\nssl = on\n\
             ssl_cert_file = '{directory}/server.crt'\nssl_key_file = '{directory}/server.key'\nlog_min_messages = warning\n",
            directory = server.directory.path().display()
        );
        let rules =
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\nhostnossl all plain 127.0.0.1/32 trust\n";
        server.append("data/postgresql.conf", &settings);
        fs::write(data.join("pg_hba.conf"), rules).unwrap();
        server.begin();
        server.sql("postgres", "create role plain login");
        server.sql("postgres", "create database ga owner plain");
        server.sql("postgres", &format!("create role exporter login password '{PASSWORD}' in role plain"));
        server.sql("ga", "grant all on schema public to exporter");
        server
    }

    /// Starts the server itself, again perhaps.
    pub(crate) fn begin(&mut self) {
        let mut command = self.command("postgres");
        command.args(["-D", self.path("data").to_str().unwrap()]).stderr(Stdio::null()).stdout(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        let socket = self.directory.path().display().to_string();
        let port = self.port.to_string();
        // It answers within a second or so.
        let mut wait = self.command("pg_isready");
        wait.args(["-h", &socket, "-p", &port, "-t", "1", "-q"]);
        for _ in 0..600 {
            if wait.status().unwrap().success() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start");
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let pid = rustix::process::Pid::from_child(&process);
            // SIGQUIT: an immediate shutdown, which ends its children too.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::QUIT);
            let _ = process.wait();
        }
    }

    /// The result of a statement as psql prints it, without decoration.
    pub(crate) fn sql(&self, database: &str, statement: &str) -> String {
        let socket = self.directory.path().display().to_string();
        let mut command = self.command("psql");
        let port = self.port.to_string();
        let arguments =
            ["-h", &socket, "-p", &port, "-U", "postgres", "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c"];
        let output = command.args(arguments).arg(statement).output().unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The URL by the Unix socket.
    pub(crate) fn socket_url(&self) -> String {
        self.socket_url_of("ga", "plain")
    }

    /// The same of another database and role.
    pub(crate) fn socket_url_of(&self, database: &str, role: &str) -> String {
        format!("postgres:///{database}?host={}&port={}&user={role}", self.directory.path().display(), self.port)
    }

    /// The URL of the role with a password, by this name of the host.
    pub(crate) fn url(&self, host: &str, parameters: &str) -> String {
        format!("postgres://exporter@{host}:{}/ga?{parameters}", self.port)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let path = self.path(name);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, before + text).unwrap();
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(binary(program));
        command.current_dir(self.directory.path()).stdin(Stdio::null()).env("LC_ALL", "C").env_remove("PGPASSWORD");
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// An authority, and what it signs: a server called localhost.
    fn make_certificates(&self) {
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            command.current_dir(self.directory.path()).args(arguments.split(' ')).stderr(Stdio::null());
            if let Some((user, group)) = self.owner {
                command.uid(user).gid(group);
            }
            assert!(command.status().unwrap().success(), "openssl {arguments}");
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        openssl(&format!("req -x509 {key} -subj /CN=test-authority -keyout ca.key -out ca.crt"));
        openssl(&format!("req -x509 {key} -subj /CN=another-authority -keyout other.key -out other.crt"));
        openssl(
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        fs::write(self.path("names.txt"), "subjectAltName=DNS:localhost\n").unwrap();
        openssl(
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names.txt -out server.crt",
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where Debian has the programs, if they are not in the path.
fn binary(program: &str) -> PathBuf {
    let in_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let of_debian =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let found = of_debian.chain(in_path).map(|directory| directory.join(program)).find(|path: &PathBuf| path.exists());
    found.unwrap_or_else(|| panic!("{program} is not installed: make test installs it"))
}

/// PostgreSQL does not run as root: then it runs as the user that Debian's package makes.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::getuid().is_root() {
        return None;
    }
    let text = fs::read_to_string(Path::new("/etc/passwd")).unwrap();
    let line = text.lines().find(|line| line.starts_with("postgres:")).expect("the user postgres is there");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().unwrap());
    Some((numbers.next().unwrap(), numbers.next().unwrap()))
}
