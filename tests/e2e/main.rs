//! The real program against a simulated Google, read by real programs of others.
//!
//! Whatever needs more than cargo is ignored by `cargo test`; `make test` gets the programs and runs it. Every process is a
//! child with addresses of its own on loopback, so that the tests run side by side.

// With `cfg(test)` clippy knows that helpers are tests too.
#[cfg(test)]
mod alerting;
#[cfg(test)]
mod alertmanager;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod exporter;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod held;
#[cfg(test)]
mod inhibitions;
mod log;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod pasted_keys;
#[cfg(test)]
mod process;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod query;
#[cfg(test)]
mod scraping;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod systemd;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod webhook;
#[cfg(test)]
mod worlds;
