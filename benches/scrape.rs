//! Scrapes against a bare server.
fn main() {}
