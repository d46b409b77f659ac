//! Which properties there are, and the configuration.

use ga4_simulator::{Effect, Refusal};

use super::{UNTOUCHED_REALTIME, failing, row};
use crate::{
    row::{Expected, Lasts, Row, Setting, Values},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    let unavailable = Effect::Refuse(Refusal::Unavailable);
    let untouched: [Expected; 2] = [UNTOUCHED_REALTIME, failing(&[], Values::Held, (10, 13), 910)];
    vec![
        Row {
            expected: [
                failing(&["not_listed"], Values::Gone(3600, 7500), (60, 130), 3670),
                failing(&["not_listed"], Values::Gone(3600, 10_000), (4, 9), 3670),
            ],
            ..row("the property is no longer listed", Trouble::NotListed, Lasts::Minutes(180))
        },
        Row {
            expected: [
                failing(&["not_listed"], Values::Gone(3600, 20_000), (1, 3), 4300),
                failing(&["not_listed"], Values::Gone(3600, 20_000), (1, 3), 4300),
            ],
            signs: &["`report_up` gone"],
            setting: Setting {
                config: HOURLY,
                intervals: [3600, 3600],
                // It ends half an hour before a listing: neither just before one nor just after it.
                onset: 2280,
                scrape_every: 600,
                step: 60,
                ..Setting::usual()
            },
            ..row("the same, polled hourly, for eight days", Trouble::NotListed, Lasts::Minutes(8 * 24 * 60))
        },
        Row {
            expected: untouched,
            signs: &["`discovery_up` 0"],
            ..row("no listing comes", Trouble::Listing(unavailable.clone()), Lasts::Minutes(180))
        },
        Row {
            expected: untouched,
            signs: &["`discovery_up` 0"],
            setting: Setting { accounts: 201, ..Setting::usual() },
            ..row(
                "the listing's second page, with the property, does not come",
                Trouble::SecondPage(unavailable),
                Lasts::Minutes(180),
            )
        },
        Row {
            signs: &["`config_last_reload_successful` 0"],
            ..row("a reload with a mistake in the file", Trouble::BadReload, Lasts::Minutes(20))
        },
    ]
}

const HOURLY: &str = "discovery: {enabled: true}
reports: {realtime: {interval: 1h}, traffic: {interval: 1h}}
baseline: {enabled: false}
";
