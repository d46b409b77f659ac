//! The exporter's logic without I/O: values in, values out.
//!
//! Knows Google's wire format, reports, quotas and the schedule, and how values become text for Prometheus. Refuses to know
//! the network, files, tasks, the log and the clock: the time is an argument. The program around it does the I/O.
//!
//! 1. [`names`]: all names, valid by construction. [`shown`] and [`chain`]: foreign texts without secrets.
//! 2. [`report`]: one definition, compiled to a request and to metric families. [`translate`]: an answer to values.
//! 3. [`wire`]: Google's requests, answers and errors.
//! 4. [`properties`], [`shard`]: the properties to export. [`plan`]: the reports to poll for them.
//! 5. [`quota`], [`schedule`], [`timetable`]: when to poll.
//! 6. [`engine`]: all of that together: the next poll, and what follows from each answer.
//! 7. [`query`]: one question, asked once.
//! 8. [`daily`]: what is kept of each day in a database.
//! 9. [`store`]: the state of each property. [`exposition`]: that state as text.
//!
//! # Invariants, and where they are kept
//!
//! * All names are valid by construction, so that the text is.
//! * A [`report::Report`] is data: nothing is decided by its name.
//! * A [`store::Snapshot`] is immutable and replaced whole: a report's series appear and vanish together.
//! * Only [`engine::Effects`] change the store.
//! * Every queue, map and text has a named limit.

pub mod chain;
pub mod clock_offset;
pub mod csv;
pub mod daily;
pub mod engine;
pub mod exposition;
pub mod jitter;
pub mod names;
pub mod plan;
pub mod properties;
pub mod query;
pub mod quota;
pub mod report;
pub mod schedule;
pub mod shard;
pub mod shown;
pub mod store;
pub mod time;
pub mod timetable;
pub mod translate;
pub mod wire;
