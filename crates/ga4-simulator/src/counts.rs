//! Counts of a span of time, which can be split into parts that add up exactly.

use std::ops::{AddAssign, Sub};

/// The additive counts of a span of time and a part of the audience.
///
/// They are nested: `new_users`, `engaged_sessions` and `key_events` are at most `sessions`, which is at most
/// `pageviews`, and so are `engagements` and `scrolls`. This also holds for every part from [`Counts::part`].
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    /// `page_view` events.
    pub(super) pageviews: u64,
    /// `session_start` events.
    pub(super) sessions: u64,
    /// `first_visit` events.
    pub(super) new_users: u64,
    /// Sessions longer than 10 seconds, with a key event or with two views.
    pub(super) engaged_sessions: u64,
    /// `user_engagement` events.
    pub(super) engagements: u64,
    /// `scroll` events.
    pub(super) scrolls: u64,
    /// `purchase` events, the only key event of the simulated sites.
    pub(super) key_events: u64,
    /// Time in the foreground, in seconds.
    pub(super) seconds: u64,
    /// Revenue in hundredths of the property's currency.
    pub(super) revenue_cents: u64,
}

impl Counts {
    /// Returns the counts of the pageviews `from..to`. Adjacent parts with the same `phase` add up exactly.
    pub(super) fn part(&self, from: u64, to: u64, phase: u64) -> Self {
        self.prefix(to, phase) - self.prefix(from, phase)
    }

    /// Returns the sum of all event names of [`super::tally::Event`].
    pub(super) fn events(&self) -> u64 {
        self.pageviews + self.sessions + self.new_users + self.engagements + self.scrolls + self.key_events
    }

    /// Returns the counts of the first `pageviews`. A larger number extrapolates, for campaigns.
    fn prefix(&self, pageviews: u64, phase: u64) -> Self {
        let all = self.pageviews;
        let sessions = share(self.sessions, pageviews, all, phase);
        let of_sessions = |count, turn: u32| share(count, sessions, self.sessions, phase.rotate_left(turn));
        let key_events = of_sessions(self.key_events, 7);
        Self {
            pageviews: if all == 0 { 0 } else { pageviews },
            sessions,
            new_users: of_sessions(self.new_users, 3),
            engaged_sessions: of_sessions(self.engaged_sessions, 5),
            engagements: share(self.engagements, pageviews, all, phase),
            scrolls: share(self.scrolls, pageviews, all, phase.rotate_left(11)),
            key_events,
            seconds: share(self.seconds, pageviews, all, phase),
            revenue_cents: share(self.revenue_cents, key_events, self.key_events, phase),
        }
    }
}

/// Returns how many of `total` items are in the first `index` of `of` places. The items are spread evenly and shifted
/// by `phase`, so that the shares of adjacent places add up to `total` and no place is favoured in the long run.
pub(super) fn share(total: u64, index: u64, of: u64, phase: u64) -> u64 {
    let Some(shift) = phase.checked_rem(of) else {
        return 0;
    };
    (total * index + shift) / of
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.pageviews += other.pageviews;
        self.sessions += other.sessions;
        self.new_users += other.new_users;
        self.engaged_sessions += other.engaged_sessions;
        self.engagements += other.engagements;
        self.scrolls += other.scrolls;
        self.key_events += other.key_events;
        self.seconds += other.seconds;
        self.revenue_cents += other.revenue_cents;
    }
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            pageviews: self.pageviews - other.pageviews,
            sessions: self.sessions - other.sessions,
            new_users: self.new_users - other.new_users,
            engaged_sessions: self.engaged_sessions - other.engaged_sessions,
            engagements: self.engagements - other.engagements,
            scrolls: self.scrolls - other.scrolls,
            key_events: self.key_events - other.key_events,
            seconds: self.seconds - other.seconds,
            revenue_cents: self.revenue_cents - other.revenue_cents,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Counts = Counts {
        pageviews: 997,
        sessions: 401,
        new_users: 153,
        engaged_sessions: 247,
        engagements: 880,
        scrolls: 311,
        key_events: 17,
        seconds: 40_123,
        revenue_cents: 77_777,
    };

    #[test]
    fn parts_add_up_and_nest() {
        for phase in [0, 1, 5, 123_456_789, u64::MAX] {
            let mut sum = Counts::default();
            for (from, to) in [(0, 1), (1, 2), (2, 2), (2, 40), (40, 996), (996, 997)] {
                let part = HOUR.part(from, to, phase);
                assert_eq!(part.pageviews, to - from);
                assert!(part.sessions <= part.pageviews, "{part:?}");
                assert!(part.new_users <= part.sessions, "{part:?}");
                assert!(part.engaged_sessions <= part.sessions, "{part:?}");
                assert!(part.key_events <= part.sessions, "{part:?}");
                assert!(part.scrolls <= part.pageviews, "{part:?}");
                sum += part;
            }
            assert_eq!(sum, HOUR);
        }
    }

    #[test]
    fn shares_favour_no_place() {
        // One item in ten places: over all phases each place has it equally often.
        for place in 0..10 {
            let hits: u64 = (0..10).map(|phase| share(1, place + 1, 10, phase) - share(1, place, 10, phase)).sum();
            assert_eq!(hits, 1, "place {place}");
        }
    }

    #[test]
    fn parts_beyond_the_end_extrapolate() {
        let triple = HOUR.part(0, 3 * 997, 4);
        assert_eq!((triple.pageviews, triple.sessions), (2991, 1203));
        assert_eq!(Counts::default().part(0, 5, 1), Counts::default());
    }
}
