//! Midnights, and machines that sleep.

use ga4_simulator::{Effect, Method};

use super::{INTERVAL, UNTOUCHED_REALTIME, failing, row};
use crate::{
    row::{Lasts, Others, Row, Setting, Values},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    // Ten minutes before midnight in Berlin.
    let evening = || Setting { start: "2026-11-23T22:50:00Z", ..Setting::usual() };
    vec![
        Row {
            others: Others::Same,
            expected: [
                failing(&[], Values::Gone(3600, 3600), (1, 1), INTERVAL),
                failing(&[], Values::Gone(3600, 3600), (1, 1), INTERVAL),
            ],
            ..row("the machine sleeps for an hour", Trouble::Suspended(3600), Lasts::Moment)
        },
        Row {
            setting: evening(),
            expected: [UNTOUCHED_REALTIME, failing(&[], Values::Gone(120, 130), (1, 2), 910)],
            ..row("local midnight, two minutes after", Trouble::Setting, Lasts::Minutes(10))
        },
        Row {
            setting: evening(),
            expected: [UNTOUCHED_REALTIME, failing(&["timeout"], Values::Gone(120, 130), (1, 6), 310)],
            ..row(
                "local midnight, two minutes after, and day reports hang",
                Trouble::Report(Method::RunReport, Effect::Hang),
                Lasts::Minutes(10),
            )
        },
    ]
}
