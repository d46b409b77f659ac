//! `sync` against a simulated Google, into SQLite and into a real PostgreSQL: any number of nights, and whatever goes wrong in
//! them, ends in the simulator's truth.
//!
//! Whatever needs more than cargo is ignored by `cargo test`; `make test` gets the programs and runs it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly, and show its figures"
)]

mod figures;
mod kills;
mod log;
mod nights;
mod postgres;
mod refusals;
mod server;
mod sqlite_shell;
mod support;
mod texts;
