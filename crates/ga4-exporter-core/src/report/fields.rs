//! Google's fields: those of the built-in reports with our names and what they count, and all standard ones.
//!
//! Source: developers.google.com/analytics/devguides/reporting/data/v1/api-schema and …/realtime-api-schema.

use super::metric::{Addition, Metric, Unit};

pub use absent::{Absent, absent};
pub use lookup::{FieldError, Known, find};
pub use standard::{FieldKind, Standard};

mod absent;
pub mod compatibility;
mod lookup;
mod meant;
pub mod name;
pub mod standard;

/// A metric of a built-in report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    /// The end of the metric family's name.
    pub name: &'static str,
    /// Google's name for it.
    pub api_name: &'static str,
    /// What it counts, as the beginning of a sentence.
    pub meaning: &'static str,
    /// Whether adding it up over properties or days counts the same person more than once.
    pub distinct: bool,
}

impl Field {
    /// The metric that a report asks for.
    pub fn metric(&self) -> Metric {
        Metric {
            name: self.name.parse().expect(WELL_FORMED),
            api_name: self.api_name.parse().expect(WELL_FORMED),
            unit: Unit::Plain,
            addition: if self.distinct { Addition::Distinct } else { Addition::Sum },
            is_signed: false,
            meaning: self.meaning.to_owned(),
        }
    }
}

/// What the `realtime` report can ask for.
pub const REALTIME: &[Field] = &[PAGEVIEWS, ACTIVE_USERS, EVENTS, KEY_EVENTS];

/// Those of the `realtime` report that the five whole minutes have too.
pub const REALTIME_5M: &[Field] = &[PAGEVIEWS, ACTIVE_USERS];

/// What the `traffic` report can ask for.
pub const TRAFFIC: &[Field] =
    &[PAGEVIEWS, VISITORS, ACTIVE_USERS, NEW_USERS, SESSIONS, ENGAGED_SESSIONS, EVENTS, KEY_EVENTS];

/// Pages and screens: what the drop alert counts.
pub const PAGEVIEWS: Field = Field {
    name: "pageviews",
    api_name: "screenPageViews",
    meaning: "Web pages and app screens viewed",
    distinct: false,
};

const VISITORS: Field = Field {
    name: "visitors",
    api_name: "totalUsers",
    meaning: "Distinct users with at least one event",
    distinct: true,
};

const ACTIVE_USERS: Field = Field {
    name: "active_users",
    api_name: "activeUsers",
    meaning: "Distinct users who visited the site or app",
    distinct: true,
};

const NEW_USERS: Field =
    Field { name: "new_users", api_name: "newUsers", meaning: "Users who visited for the first time", distinct: false };

const SESSIONS: Field = Field { name: "sessions", api_name: "sessions", meaning: "Sessions started", distinct: false };

const ENGAGED_SESSIONS: Field = Field {
    name: "engaged_sessions",
    api_name: "engagedSessions",
    meaning: "Engaged sessions (longer than 10 seconds, a key event or two pageviews)",
    distinct: false,
};

const EVENTS: Field = Field { name: "events", api_name: "eventCount", meaning: "Events of any kind", distinct: false };

const KEY_EVENTS: Field = Field {
    name: "key_events",
    api_name: "keyEvents",
    meaning: "Key events (marked as such in Google Analytics)",
    distinct: false,
};

const WELL_FORMED: &str = "the built-in names are well formed: see the tests";
