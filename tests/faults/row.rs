//! A row of the table: what goes wrong, how long, and what has to come of it.

use std::ops::RangeInclusive;

use ga4_simulator::Bucket;

use crate::trouble::Trouble;

/// The property in trouble, where only one is; in Berlin.
pub(crate) const SHOP: &str = "313110001";

/// Another one, which must not notice; in Kolkata.
pub(crate) const NEWS: &str = "313110002";

/// The reports, in the order of the table's cells.
pub(crate) const REPORTS: [&str; 2] = ["realtime", "traffic"];

/// One line of the table.
pub(crate) struct Row {
    /// What happens, as the table says it.
    pub(crate) name: &'static str,
    pub(crate) trouble: Trouble,
    pub(crate) lasts: Lasts,
    pub(crate) setting: Setting,
    /// What has to come of it: of realtime and of traffic.
    pub(crate) expected: [Expected; 2],
    pub(crate) others: Others,
    /// What else `/metrics` has to say meanwhile.
    pub(crate) signs: &'static [&'static str],
}

/// How long it lasts.
#[derive(Clone, Copy)]
pub(crate) enum Lasts {
    Minutes(i64),
    /// Until the bucket is full again by itself.
    UntilRefill(Bucket),
    /// It is over as it happens.
    Moment,
}

/// Where and when it happens.
pub(crate) struct Setting {
    pub(crate) config: &'static str,
    pub(crate) start: &'static str,
    /// Of the reports, in seconds.
    pub(crate) intervals: [i64; 2],
    /// When it begins, in seconds since the start.
    pub(crate) onset: i64,
    pub(crate) place: Place,
    pub(crate) way: Way,
    /// Whether it keeps anything in a directory.
    pub(crate) storage: bool,
    /// How often `/metrics` is scraped, in seconds: times are measured as exactly.
    pub(crate) scrape_every: i64,
    /// How many seconds pass at a time.
    pub(crate) step: u32,
    /// Empty accounts in the listing between the properties, to make it longer than a page.
    pub(crate) accounts: usize,
}

/// Whose process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// This one.
    Here,
    /// A child that may open few files.
    FewDescriptors,
    /// A child that may not take all memory if a limit fails.
    LittleMemory,
    /// A child whose log nobody reads.
    NoLog,
    /// A child that trusts the tests' certificates only.
    OwnAuthority,
}

/// The way to the Data API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// Straight to the simulator.
    Straight,
    /// Through a front that can be closed.
    Front,
    /// Through a front with TLS.
    Tls,
    /// To a name that no resolver knows.
    NoName,
}

/// What has to come of one report.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    /// The reasons in the order of their coming.
    pub(crate) reasons: &'static [&'static str],
    pub(crate) values: Values,
    /// Requests while it lasts.
    pub(crate) requests: (usize, usize),
    /// Seconds from the end of the trouble to values that were asked for after it, at most; `None` where it never ends.
    pub(crate) fresh: Option<i64>,
}

/// What becomes of the values meanwhile.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values {
    /// They never go.
    Held,
    /// They go this many seconds after it has begun.
    Gone(i64, i64),
    /// There are none.
    Never,
}

/// What other properties notice.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Others {
    /// Nothing: no poll of theirs is missing or late.
    Nothing,
    /// They have it, too.
    Same,
}

impl Expected {
    pub(crate) fn requests(&self) -> RangeInclusive<usize> {
        self.requests.0..=self.requests.1
    }
}

impl Setting {
    /// The built-in reports at their usual intervals.
    pub(crate) fn usual() -> Self {
        Self {
            config: "discovery: {enabled: true}\nbaseline: {enabled: false}\n",
            intervals: [60, 900],
            // 10:00 in Berlin, 14:30 in Kolkata, 01:00 in California.
            start: "2026-11-23T09:00:00Z",
            onset: 480,
            place: Place::Here,
            way: Way::Straight,
            storage: false,
            scrape_every: 10,
            step: 1,
            accounts: 0,
        }
    }
}
