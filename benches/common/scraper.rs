//! A client over one connection that does as little as can be, so that what is measured is the server.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

/// Asks for one path again and again, as Prometheus does.
pub(crate) struct Scraper {
    stream: BufReader<TcpStream>,
    request: String,
    body: Vec<u8>,
}

impl Scraper {
    /// Connects to the server; `encoding` is how the answer is wanted, `gzip` or `identity`.
    pub(crate) fn connect(address: SocketAddr, path: &str, encoding: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("it is a TCP connection");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\n\
             Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n\
             Accept-Encoding: {encoding}\r\nX-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n"
        );
        Self { stream: BufReader::with_capacity(1 << 16, stream), request, body: Vec::new() }
    }

    /// The body of the answer, which must be a good one.
    pub(crate) fn get(&mut self) -> &[u8] {
        self.stream.get_mut().write_all(self.request.as_bytes()).expect("the server reads");
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).expect("the server answers");
        assert!(line.starts_with("HTTP/1.1 200"), "{line}");
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).expect("the server answers");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().expect("it is a number");
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).expect("the server answers in full");
        &self.body
    }
}
