//! What the exporter decides, as values in and values out.
//!
//! Knows Google's wire format, reports, quotas and the schedule, and how values become text for Prometheus. Refuses to know
//! the network, files, tasks, the log and the clock: the time is an argument. The program around it has the hands.
//!
//! 1. [`names`]: the names of everything, valid by construction. [`shown`] and [`chain`]: others' texts, without secrets.
//! 2. [`report`]: one definition, compiled to a request and to metric families. [`translate`]: an answer to values.
//! 3. [`wire`]: Google's requests, answers and errors.
//! 4. [`properties`], [`shard`]: which properties there are. [`plan`]: what to ask of them.
//! 5. [`quota`], [`schedule`], [`timetable`]: what to ask when.
//! 6. [`engine`]: all of that together: what to ask next, and what follows from each answer.
//! 7. [`query`]: one question, asked once.
//! 8. [`store`]: what is known of each property. [`exposition`]: that as text.
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
