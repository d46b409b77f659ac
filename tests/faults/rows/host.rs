//! What the machine lacks.

use super::{BACK_OFF, HOUR, REALTIME_STALE, UNTOUCHED_TRAFFIC, failing, row};
use crate::{
    row::{Lasts, Others, Place, Row, Setting, Way},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    let with_storage = "discovery: {enabled: true}\n";
    vec![
        Row {
            others: Others::Same,
            setting: Setting { place: Place::FewDescriptors, way: Way::Front, ..Setting::usual() },
            expected: [failing(&["connection"], REALTIME_STALE, (0, 0), BACK_OFF), UNTOUCHED_TRAFFIC],
            ..row("no file descriptors are left", Trouble::NoDescriptors, Lasts::Minutes(10))
        },
        Row {
            setting: Setting { place: Place::NoLog, ..Setting::usual() },
            ..row("nobody reads the log", Trouble::Setting, HOUR)
        },
        Row {
            setting: Setting { config: with_storage, storage: true, ..Setting::usual() },
            ..row("the disk of `--storage.path` is full", Trouble::FullDisk, HOUR)
        },
        Row {
            signs: &["further clients get 503 for 10 s"],
            ..row("300 clients connect and say nothing", Trouble::SilentClients(300), Lasts::Minutes(10))
        },
    ]
}
