//! Due times of requests to the Admin API: pure, with the time as an argument.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use ga4_exporter_core::{
    jitter,
    names::{PropertyId, Reason},
    wire,
};

use crate::clock::later;

/// The next request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Due {
    /// All pages of the listing.
    Listing,
    /// One configured property.
    Details(PropertyId),
}

/// The due times.
#[derive(Debug)]
pub(super) struct Agenda {
    /// The listing, with discovery.
    listing: Option<Timestamp>,
    listing_failures: u32,
    /// When the last listing was started.
    listing_begun: Option<Timestamp>,
    /// Each configured property.
    details: BTreeMap<PropertyId, Details>,
    /// No request for details before this: they are paced, and pause together after a failure that concerns all.
    details_open_at: Timestamp,
    details_failures: u32,
}

#[derive(Clone, Copy, Debug)]
struct Details {
    due: Timestamp,
    failures: u32,
}

impl Agenda {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            listing: None,
            listing_failures: 0,
            listing_begun: None,
            details: BTreeMap::new(),
            details_open_at: now,
            details_failures: 0,
        }
    }

    /// Makes the listing, and all failed and new requests, due now.
    pub(super) fn plan_all(&mut self, discovers: bool, configured: impl Iterator<Item = PropertyId>, now: Timestamp) {
        self.listing = discovers.then_some(now);
        self.listing_failures = 0;
        self.details_failures = 0;
        self.details_open_at = now;
        let known = std::mem::take(&mut self.details);
        let plan = |id: PropertyId| {
            let works = known.get(&id).filter(|details| details.failures == 0);
            (id, works.copied().unwrap_or(Details { due: now, failures: 0 }))
        };
        self.details = configured.map(plan).collect();
    }

    /// Applies another configuration: the same, but the next listing is due a minute after the last one at the
    /// earliest, however often the configuration changes.
    pub(super) fn replan_all(&mut self, discovers: bool, configured: impl Iterator<Item = PropertyId>, now: Timestamp) {
        self.plan_all(discovers, configured, now);
        let earliest = self.listing_begun.map(|begun| later(begun, LISTING_GAP));
        self.listing = self.listing.max(self.listing.and(earliest));
    }

    /// The listing was started.
    pub(super) fn listing_begins(&mut self, now: Timestamp) {
        self.listing_begun = Some(now);
    }

    /// Returns the next request and its due time. A due listing precedes all requests for details.
    pub(super) fn next(&self, now: Timestamp) -> Option<(Due, Timestamp)> {
        let listing = self.listing.map(|at| (Due::Listing, at));
        if let Some(listing) = listing.filter(|(_, at)| *at <= now) {
            return Some(listing);
        }
        let details = self.details.iter().min_by_key(|(_, details)| details.due);
        let details = details.map(|(id, details)| (Due::Details(*id), details.due.max(self.details_open_at)));
        listing.into_iter().chain(details).min_by_key(|(_, at)| *at)
    }

    pub(super) fn listing_came(&mut self, interval: Option<Duration>, now: Timestamp) {
        self.listing_failures = 0;
        self.listing = interval.map(|interval| later(now, interval));
    }

    pub(super) fn listing_failed(&mut self, error: &wire::ApiError, now: Timestamp) {
        self.listing_failures = self.listing_failures.saturating_add(1);
        self.listing = self.listing.map(|_| later(now, pause(error, self.listing_failures)));
    }

    pub(super) fn details_came(&mut self, id: PropertyId, now: Timestamp) {
        self.details_failures = 0;
        self.details_open_at = later(now, DETAILS_GAP);
        self.details.insert(id, Details { due: later(now, DETAILS_INTERVAL), failures: 0 });
    }

    /// A request for details failed. Returns whether the failure concerns all of them.
    pub(super) fn details_failed(&mut self, id: PropertyId, error: &wire::ApiError, now: Timestamp) -> bool {
        let failures = self.details.get(&id).map_or(1, |details| details.failures.saturating_add(1));
        let concerns_all = !matches!(
            error.reason(),
            Reason::NoAccess | Reason::InvalidRequest | Reason::Protocol | Reason::ServerError
        );
        let own_pause = if error.reason().needs_operator() { DENIED_DETAILS_PAUSE } else { pause(error, failures) };
        self.details.insert(id, Details { due: later(now, own_pause), failures });
        self.details_open_at = if concerns_all {
            self.details_failures = self.details_failures.saturating_add(1);
            later(now, pause(error, self.details_failures))
        } else {
            later(now, DETAILS_GAP)
        };
        concerns_all
    }

    /// The clock was set back: due times move with it.
    pub(super) fn on_clock_set_back(&mut self, by: SignedDuration) {
        let back = |at: Timestamp| at.saturating_sub(by).unwrap_or(at);
        self.listing = self.listing.map(back);
        self.listing_begun = self.listing_begun.map(back);
        self.details_open_at = back(self.details_open_at);
        self.details.values_mut().for_each(|details| details.due = back(details.due));
    }
}

/// The pause after a failure: some failures need an operator, others time.
fn pause(error: &wire::ApiError, failures: u32) -> Duration {
    let reason = error.reason();
    if reason.needs_operator() {
        DENIED_PAUSE
    } else if reason == Reason::RateLimit {
        RATE_LIMIT_PAUSE
    } else {
        jitter::back_off(FIRST_BACK_OFF, LONGEST_BACK_OFF, failures, "admin")
    }
}

/// Pause after failures that a click in Google's console fixes.
const DENIED_PAUSE: Duration = Duration::from_mins(10);

/// Least time between two listings.
const LISTING_GAP: Duration = Duration::from_mins(1);

/// The minute over which the rate is counted.
const RATE_LIMIT_PAUSE: Duration = Duration::from_mins(1);

const FIRST_BACK_OFF: Duration = Duration::from_secs(5);

const LONGEST_BACK_OFF: Duration = Duration::from_mins(5);

/// Names and zones change rarely.
const DETAILS_INTERVAL: Duration = Duration::from_hours(24);

/// Pause after missing access to a property: its reports say so, and its name can wait.
const DENIED_DETAILS_PAUSE: Duration = Duration::from_hours(1);

/// Five per second: the Admin API allows 600 per minute and user.
const DETAILS_GAP: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + seconds).unwrap()
    }

    fn id(number: u64) -> PropertyId {
        number.to_string().parse().unwrap()
    }

    fn agenda(discovers: bool) -> Agenda {
        let mut agenda = Agenda::new(at(0));
        agenda.plan_all(discovers, [1, 2, 3].into_iter().map(id), at(0));
        agenda
    }

    fn server_error() -> wire::ApiError {
        wire::ApiError::ServerError { status: 500, message: String::new() }
    }

    fn due_in(agenda: &Agenda, now: i64) -> (Due, i64) {
        let (due, at_time) = agenda.next(at(now)).unwrap();
        (due, at_time.duration_since(at(now)).as_secs())
    }

    #[test]
    fn a_due_listing_goes_first_and_names_are_paced() {
        let mut agenda = agenda(true);
        assert_eq!(agenda.next(at(0)), Some((Due::Listing, at(0))));
        agenda.listing_came(Some(Duration::from_hours(1)), at(0));
        assert_eq!(agenda.next(at(0)), Some((Due::Details(id(1)), at(0))));
        agenda.details_came(id(1), at(0));
        assert_eq!(agenda.next(at(0)), Some((Due::Details(id(2)), later(at(0), DETAILS_GAP))));
        for number in [2, 3] {
            agenda.details_came(id(number), at(1));
        }
        assert_eq!(due_in(&agenda, 1), (Due::Listing, 3599));
        agenda.listing_came(Some(Duration::from_hours(48)), at(3600));
        assert_eq!(due_in(&agenda, 3600), (Due::Details(id(1)), 86_400 - 3600));
    }

    #[test]
    fn one_propertys_trouble_holds_up_no_other() {
        let mut agenda = agenda(false);
        assert!(!agenda.details_failed(id(1), &server_error(), at(0)));
        assert_eq!(due_in(&agenda, 1), (Due::Details(id(2)), 0));
        assert!(!agenda.details_failed(id(2), &wire::ApiError::NoAccess(String::new()), at(1)));
        agenda.details_came(id(3), at(2));
        assert!(matches!(due_in(&agenda, 2), (Due::Details(first), 1..=3) if first == id(1)));
    }

    #[test]
    fn everybodys_trouble_makes_all_wait() {
        let mut agenda = agenda(false);
        let disabled = wire::ApiError::ApiDisabled { message: String::new(), url: String::new() };
        assert!(agenda.details_failed(id(1), &disabled, at(0)));
        assert_eq!(due_in(&agenda, 0), (Due::Details(id(2)), 600));
        agenda.plan_all(false, [1, 2, 3].into_iter().map(id), at(1));
        assert_eq!(due_in(&agenda, 1), (Due::Details(id(2)), 0), "a reload asks again at once");
    }

    #[test]
    fn another_configuration_lists_once_a_minute() {
        let mut agenda = agenda(true);
        let plan = |agenda: &mut Agenda, discovers, now| {
            agenda.replan_all(discovers, std::iter::empty(), at(now));
            agenda.listing
        };
        assert_eq!(plan(&mut agenda, true, 5), Some(at(5)), "there was none yet");
        agenda.listing_begins(at(10));
        for now in 10..70 {
            assert_eq!(plan(&mut agenda, true, now), Some(at(70)), "{now}");
        }
        assert_eq!(plan(&mut agenda, true, 100), Some(at(100)));
        assert_eq!(plan(&mut agenda, false, 20), None);
        agenda.on_clock_set_back(SignedDuration::from_secs(1000));
        assert_eq!(plan(&mut agenda, true, -980), Some(at(-930)), "a clock that is set back puts nothing off");
    }

    #[test]
    fn listings_back_off_by_themselves() {
        let mut agenda = agenda(true);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            agenda.listing_failed(&server_error(), at(0));
            agenda.details_came(id(1), at(0));
            pauses.push(agenda.listing.unwrap().duration_since(at(0)).as_secs());
        }
        assert!(pauses.windows(2).take(5).all(|pair| pair[0] < pair[1]) && pauses[7] > 200, "{pauses:?}");
        agenda.listing_failed(&wire::ApiError::RateLimited(String::new()), at(0));
        assert_eq!(agenda.listing, Some(at(60)));
    }

    #[test]
    fn a_clock_set_back_puts_nothing_off() {
        let mut agenda = agenda(true);
        agenda.listing_came(Some(Duration::from_hours(1)), at(86_400));
        agenda.on_clock_set_back(SignedDuration::from_secs(86_400));
        assert_eq!(agenda.listing, Some(at(3600)));
    }
}
