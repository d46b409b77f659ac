//! What holds for whatever others write: nothing panics, what is read is valid, and what is said of it is short.
//!
//! The number of cases is that of `PROPTEST_CASES`, so that `make fuzz` runs the same tests for an hour. Inputs whose readers
//! are private have such tests beside them; the configuration has its own in `tests/config`, the server in `tests/http`.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod csv;
mod error_body;
mod json;
mod report;
