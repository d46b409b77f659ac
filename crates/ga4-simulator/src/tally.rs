//! The sum behind one row of a report, and its metrics.
//!
//! Distinct users are estimated from visits, never added up: they are the new users plus the number of distinct
//! people among the returning visits, which a limited number of regular visitors can make. A longer window therefore
//! never has fewer users, nor as many as the sum of its parts.

use super::{
    counts::Counts,
    random::{real, whole},
};

/// The events of a span of time and a part of the audience.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    pub(super) counts: Counts,
    pub(super) events: u64,
    /// Sessions with these events, and those of them that were a user's first. Users are estimated from both.
    visits: u64,
    first_visits: u64,
    regulars: f64,
}

impl Tally {
    /// Creates a tally of everything in `counts`, for a property with this many regular visitors.
    pub(super) fn new(counts: Counts, regulars: f64) -> Self {
        Self { counts, events: counts.events(), visits: counts.sessions, first_visits: counts.new_users, regulars }
    }

    /// Creates a tally of the events with one name.
    pub(super) fn of_event(counts: Counts, event: Event, regulars: f64) -> Self {
        let events = event.count(&counts);
        let own = |is: bool, count| if is { count } else { 0 };
        Self {
            counts: Counts {
                pageviews: own(event == Event::PageView, counts.pageviews),
                sessions: own(event == Event::SessionStart, counts.sessions),
                engaged_sessions: own(event == Event::SessionStart, counts.engaged_sessions),
                new_users: own(event == Event::FirstVisit, counts.new_users),
                engagements: own(event == Event::UserEngagement, counts.engagements),
                seconds: own(event == Event::UserEngagement, counts.seconds),
                scrolls: own(event == Event::Scroll, counts.scrolls),
                key_events: own(event == Event::Purchase, counts.key_events),
                revenue_cents: own(event == Event::Purchase, counts.revenue_cents),
            },
            events,
            visits: counts.sessions.min(events),
            first_visits: counts.new_users.min(events),
            regulars,
        }
    }

    /// Returns the tally multiplied by `ratio`, which may be more than 1.
    pub(super) fn scaled(&self, ratio: f64) -> Self {
        if (ratio - 1.0).abs() < f64::EPSILON {
            return *self;
        }
        let counts = self.counts.part(0, whole(real(self.counts.pageviews) * ratio), 0);
        let scale = |count| whole((real(count) * ratio).floor());
        let visits = scale(self.visits);
        Self {
            counts,
            events: scale(self.events),
            visits,
            first_visits: scale(self.first_visits).min(visits),
            regulars: self.regulars,
        }
    }

    /// Adds another part.
    pub(super) fn add(&mut self, other: &Self) {
        self.counts += other.counts;
        self.events += other.events;
        self.visits += other.visits;
        self.first_visits += other.first_visits;
        self.regulars = self.regulars.max(other.regulars);
    }

    /// `screenPageViews`
    #[must_use]
    pub fn pageviews(&self) -> u64 {
        self.counts.pageviews
    }

    /// `totalUsers`: estimated, not additive, at most the number of sessions, and at least one if there was any event.
    #[must_use]
    pub fn total_users(&self) -> u64 {
        if self.events == 0 {
            return 0;
        }
        let returning = self.visits - self.first_visits;
        let different = self.regulars * (1.0 - (-real(returning) / self.regulars).exp());
        (self.first_visits + whole(different.ceil()).min(returning)).max(1)
    }

    /// `activeUsers`: all users except for a few who never had the page in the foreground.
    #[must_use]
    pub fn active_users(&self) -> u64 {
        let users = self.total_users();
        users - users / 25
    }

    /// `newUsers`
    #[must_use]
    pub fn new_users(&self) -> u64 {
        self.counts.new_users
    }

    /// `sessions`
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.counts.sessions
    }

    /// `engagedSessions`
    #[must_use]
    pub fn engaged_sessions(&self) -> u64 {
        self.counts.engaged_sessions
    }

    /// `eventCount`
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// `keyEvents`
    #[must_use]
    pub fn key_events(&self) -> u64 {
        self.counts.key_events
    }
}

/// The events that the simulated sites send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Event {
    PageView,
    SessionStart,
    FirstVisit,
    UserEngagement,
    Scroll,
    Purchase,
}

impl Event {
    pub(super) const ALL: [Self; 6] =
        [Self::PageView, Self::SessionStart, Self::FirstVisit, Self::UserEngagement, Self::Scroll, Self::Purchase];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PageView => "page_view",
            Self::SessionStart => "session_start",
            Self::FirstVisit => "first_visit",
            Self::UserEngagement => "user_engagement",
            Self::Scroll => "scroll",
            Self::Purchase => "purchase",
        }
    }

    pub(super) fn is_key(self) -> bool {
        self == Self::Purchase
    }

    pub(super) fn count(self, counts: &Counts) -> u64 {
        match self {
            Self::PageView => counts.pageviews,
            Self::SessionStart => counts.sessions,
            Self::FirstVisit => counts.new_users,
            Self::UserEngagement => counts.engagements,
            Self::Scroll => counts.scrolls,
            Self::Purchase => counts.key_events,
        }
    }
}

#[cfg(test)]
impl Tally {
    /// Returns a tally in which every count is positive.
    pub(super) fn sample() -> Self {
        let counts = Counts {
            pageviews: 2_997,
            sessions: 901,
            new_users: 353,
            engaged_sessions: 547,
            engagements: 1_880,
            scrolls: 611,
            key_events: 37,
            seconds: 40_123,
            revenue_cents: 77_777,
        };
        Self::new(counts, 500.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(sessions: u64) -> Tally {
        let counts = Counts {
            pageviews: 3 * sessions,
            sessions,
            new_users: sessions / 3,
            key_events: sessions / 9,
            ..Counts::default()
        };
        Tally::new(counts, 500.0)
    }

    #[test]
    fn users_grow_with_the_window_but_are_not_additive() {
        let mut before = 0;
        for sessions in [0, 1, 2, 5, 30, 300, 3000, 30_000] {
            let tally = tally(sessions);
            assert!(tally.total_users() >= before, "{sessions}");
            assert!(tally.total_users() <= tally.sessions());
            assert!(tally.active_users() <= tally.total_users());
            assert!(tally.new_users() <= tally.total_users());
            before = tally.total_users();
        }
        assert!(2 * tally(3000).total_users() > tally(6000).total_users() + 100);
    }

    #[test]
    fn pageviews_without_a_session_start_still_have_a_user() {
        let counts = Counts { pageviews: 2, ..Counts::default() };
        assert_eq!(Tally::new(counts, 9.0).total_users(), 1);
    }

    #[test]
    fn events_by_name_add_up() {
        let whole = tally(900);
        let mut sum = Tally::default();
        for event in Event::ALL {
            sum.add(&Tally::of_event(whole.counts, event, 500.0));
        }
        assert_eq!((sum.counts, sum.events), (whole.counts, whole.events));
    }
}
