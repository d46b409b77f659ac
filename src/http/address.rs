//! Addresses to listen on.
//!
//! Knows how an address is written and the system's errors. Opening is synchronous and happens before anything is started, so
//! that a wrong address is an error at the start.

use std::{
    collections::BTreeSet,
    fmt,
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs},
    str::FromStr,
};

use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error as ThisError;

/// Where to listen: `:9674`, `127.0.0.1:9674`, `[::1]:9674` or `name:9674`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenAddress {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Host {
    /// All addresses of this machine, of both families.
    Any,
    /// Text that the resolver understands: an IPv4 address, an IPv6 address without brackets, or a name.
    Named(String),
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ListenAddressError(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits).ok_or_else(malformed)?;
        let host = match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
            None if host.is_empty() => Host::Any,
            None if host.bytes().all(is_of_name) => Host::Named(host.to_owned()),
            Some(Some(inner)) if inner.parse::<Ipv6Addr>().is_ok() => Host::Named(inner.to_owned()),
            None | Some(_) => return Err(malformed()),
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Any => write!(f, ":{}", self.port),
            Host::Named(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Host::Named(host) => write!(f, "{host}:{}", self.port),
        }
    }
}

/// Why a text is not an address.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error("`{0}` is not an address to listen on; write `:9674`, `127.0.0.1:9674`, `[::1]:9674` or `name:9674`")]
pub struct ListenAddressError(String);

/// Opens all addresses. A name may resolve to several addresses; those of this machine are opened.
///
/// # Errors
/// The first address that cannot be opened.
pub fn bind(addresses: &[ListenAddress]) -> Result<Vec<TcpListener>, BindError> {
    let mut listeners = Vec::new();
    for address in addresses {
        let opened = match &address.host {
            Host::Any => open_any(address.port).map(|listener| vec![listener]),
            Host::Named(host) => open_named(address, host)?,
        };
        listeners.extend(opened.map_err(|source| {
            if source.kind() == ErrorKind::AddrInUse && overlaps(address, &listeners) {
                return BindError::Twice(address.to_string(), source);
            }
            BindError::new(address, source)
        })?);
    }
    Ok(listeners)
}

/// Whether one of these listeners includes the address, or the other way round.
fn overlaps(address: &ListenAddress, listeners: &[TcpListener]) -> bool {
    let host = match &address.host {
        Host::Any => Some(IpAddr::from(Ipv6Addr::UNSPECIFIED)),
        Host::Named(host) => host.parse::<IpAddr>().ok(),
    };
    let mut own = listeners.iter().filter_map(|listener| listener.local_addr().ok());
    own.any(|own| {
        let is_same = host.is_some_and(|host| host.is_unspecified() || host == own.ip());
        own.port() == address.port && (own.ip().is_unspecified() || is_same)
    })
}

/// An address cannot be opened.
#[derive(Debug, ThisError)]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "cannot listen on {0}: the port is in use; stop the other program, or choose another port with \
         --web.listen-address"
    )]
    InUse(String, #[source] io::Error),
    /// Another of the addresses includes this one.
    #[error("cannot listen on {0}: another --web.listen-address with this port includes it; leave one of the two out")]
    Twice(String, #[source] io::Error),
    /// Not permitted; usually a port below 1024.
    #[error("cannot listen on {0}: not permitted; choose a port above 1023 with --web.listen-address")]
    Denied(String, #[source] io::Error),
    /// An address of another machine.
    #[error(
        "cannot listen on {0}: this machine does not have that address; --web.listen-address takes an address of this \
         machine, or only a port to listen on all of them"
    )]
    NotHere(String, #[source] io::Error),
    /// A name that does not resolve.
    #[error("cannot listen on {0}: the name cannot be resolved; check it, or give --web.listen-address an IP address")]
    Unresolved(String, #[source] io::Error),
    /// Anything else.
    #[error("cannot listen on {0}; check --web.listen-address")]
    Other(String, #[source] io::Error),
}

impl BindError {
    fn new(address: &ListenAddress, source: io::Error) -> Self {
        let address = address.to_string();
        // All other kinds are handled the same.
        #[expect(clippy::wildcard_enum_match_arm, reason = "std's enum is open")]
        match source.kind() {
            ErrorKind::AddrInUse => Self::InUse(address, source),
            ErrorKind::PermissionDenied => Self::Denied(address, source),
            ErrorKind::AddrNotAvailable => Self::NotHere(address, source),
            _ => Self::Other(address, source),
        }
    }
}

/// Opens one socket for both families, or one for IPv4 if the system has no IPv6.
fn open_any(port: u16) -> io::Result<TcpListener> {
    match open(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))) {
        Err(error) if !matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
            open(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
        }
        result => result,
    }
}

fn open_named(address: &ListenAddress, host: &str) -> Result<io::Result<Vec<TcpListener>>, BindError> {
    let resolved =
        (host, address.port).to_socket_addrs().map_err(|source| BindError::Unresolved(address.to_string(), source))?;
    Ok(open_all(resolved))
}

/// A name like `localhost` has an IPv6 address in `/etc/hosts` even where IPv6 is off, so one success is enough. It may
/// have the same address twice.
fn open_all(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<Vec<TcpListener>> {
    let addresses: BTreeSet<_> = addresses.collect();
    let mut listeners = Vec::new();
    let mut missing = None;
    for address in addresses {
        match open(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if matches!(error.kind(), ErrorKind::AddrInUse | ErrorKind::PermissionDenied) => {
                return Err(error);
            }
            Err(error) => missing = Some(error),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        Some(_) | None => Ok(listeners),
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?; // whatever the system's default is
    }
    socket.set_reuse_address(true)?; // connections of the process before may linger for a minute
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    fn parse(text: &str) -> ListenAddress {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in [":9674", "127.0.0.1:0", "[::1]:9674", "localhost:65535", "[::]:80"] {
            assert_eq!(parse(text).to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused_with_examples() {
        for text in
            ["", "9674", "::1:9674", ":", ":65536", ":+80", ":80a", "[::1]", "[::1:80", "[x]:80", "a b:1", "é:1"]
        {
            let message = text.parse::<ListenAddress>().unwrap_err().to_string();
            assert!(message.contains(&format!("`{text}`")) && message.contains("`[::1]:9674`"), "{text}: {message}");
        }
    }

    #[test]
    fn a_taken_port_is_an_error_that_names_address_and_flag() {
        let first = bind(&[parse("127.0.0.1:0")]).unwrap();
        let address = first[0].local_addr().unwrap();
        let error = bind(&[parse(&address.to_string())]).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot listen on {address}: the port is in use; stop the other program, or choose another port with \
                 --web.listen-address"
            )
        );
        assert!(error.source().is_some());
    }

    #[test]
    fn an_address_within_another_is_no_other_program() {
        let port = open(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap().local_addr().unwrap().port();
        for pair in
            [[format!(":{port}"), format!("127.0.0.1:{port}")], [format!("127.0.0.1:{port}"), format!(":{port}")]]
        {
            let error = bind(&pair.each_ref().map(|text| parse(text))).unwrap_err();
            assert!(matches!(&error, BindError::Twice(address, _) if *address == pair[1]), "{error:?}");
        }
    }

    #[test]
    fn addresses_of_other_machines_and_of_none_are_told_apart() {
        let error = bind(&[parse("192.0.2.1:0")]).unwrap_err();
        assert!(matches!(error, BindError::NotHere(..)), "{error:?}");
        let too_long_for_dns = "a".repeat(64);
        let error = bind(&[parse(&format!("{too_long_for_dns}:0"))]).unwrap_err();
        assert!(matches!(error, BindError::Unresolved(..)), "{error:?}");
    }

    #[test]
    fn a_port_alone_listens_on_ipv4_too() {
        let listeners = bind(&[parse(":0")]).unwrap();
        let port = listeners[0].local_addr().unwrap().port();
        std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    }

    #[test]
    fn of_a_name_one_address_that_can_be_had_is_enough() {
        let (here, elsewhere) = (SocketAddr::from(([127, 0, 0, 1], 0)), SocketAddr::from(([192, 0, 2, 1], 0)));
        assert_eq!(open_all([elsewhere, here, here].into_iter()).unwrap().len(), 1);
        assert_eq!(open_all([elsewhere].into_iter()).unwrap_err().kind(), ErrorKind::AddrNotAvailable);
        let taken = open(here).unwrap();
        let both = [here, taken.local_addr().unwrap()];
        assert_eq!(open_all(both.into_iter()).unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_name_listens_on_what_it_stands_for() {
        let listeners = bind(&[parse("localhost:0")]).unwrap();
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap().ip().is_loopback()));
        assert!(!listeners.is_empty());
    }
}
