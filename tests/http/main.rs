//! The server over real sockets, with a made-up exporter behind it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking, its support too")]

mod caching;
mod descriptors;
mod endpoints;
mod formats;
mod heads;
mod limits;
mod stopping;
mod support;
mod threads;
