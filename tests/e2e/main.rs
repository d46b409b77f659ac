//! The real program against a simulated Google, read by real programs of others.
//!
//! Whatever needs more than cargo is ignored by `cargo test`; `make test` gets the programs and runs it. Every process is a
//! child with addresses of its own on loopback, so that the tests run side by side.

mod demo;
mod exporter;
mod formats;
mod mistakes;
mod process;
mod prometheus;
mod scraping;
mod secrets;
mod streams;
mod worlds;
