//! A front of Google's, before the simulator: it can be shut, and it can show an expired certificate.

use std::{io, net::SocketAddr, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::TLS13,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// How it receives its clients.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    Plain,
    Tls,
    ExpiredTls,
}

/// A listener that passes on what comes. Dropping it ends all connections.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    behind: SocketAddr,
    tasks: JoinSet<()>,
}

impl Front {
    pub(crate) async fn open(behind: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut front = Self { address, behind, tasks: JoinSet::new() };
        front.serve(listener, manner);
        front
    }

    /// Nobody listens any more.
    pub(crate) async fn close(&mut self) {
        self.tasks.shutdown().await;
    }

    /// Listens again, at the same address.
    pub(crate) async fn reopen(&mut self, manner: Manner) {
        self.close().await;
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener, manner);
    }

    fn serve(&mut self, listener: TcpListener, manner: Manner) {
        let behind = self.behind;
        let acceptor = acceptor(manner);
        self.tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(pass_on(stream, acceptor.clone(), behind));
            }
        });
    }
}

async fn pass_on(stream: TcpStream, acceptor: Option<TlsAcceptor>, behind: SocketAddr) {
    // A client that does not like the certificate goes.
    let _ = match acceptor {
        None => connect(stream, behind).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => connect(stream, behind).await,
            Err(error) => Err(error),
        },
    };
}

async fn connect(mut stream: impl AsyncRead + AsyncWrite + Unpin, behind: SocketAddr) -> io::Result<()> {
    let mut other = TcpStream::connect(behind).await?;
    copy_bidirectional(&mut stream, &mut other).await?;
    Ok(())
}

fn acceptor(manner: Manner) -> Option<TlsAcceptor> {
    let certificate = match manner {
        Manner::Plain => return None,
        Manner::Tls => include_bytes!("../fixtures/certificates/valid.pem").as_slice(),
        Manner::ExpiredTls => include_bytes!("../fixtures/certificates/expired.pem").as_slice(),
    };
    let certificate = CertificateDer::from_pem_slice(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../fixtures/certificates/server.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Some(TlsAcceptor::from(Arc::new(config)))
}
