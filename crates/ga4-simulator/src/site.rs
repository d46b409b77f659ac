//! One property in operation: its counts between two times, in total or by segment of its audience.
//!
//! Applies outages and campaigns. Caches whole days, which never change; an edit of the property creates a new site.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    audience::{Audience, SEGMENTS},
    counts::{Counts, share},
    random::{hash_text, key, mix, real, whole},
    revision::{self, Seen},
    traffic::Traffic,
    world::Property,
};

/// A property with its traffic and its cache.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) property: Property,
    pub(super) account_id: String,
    pub(super) audience: Audience,
    traffic: Traffic,
    seed: u64,
    /// Whole days; written by the first reader.
    days: Memory<Counts>,
    segmented_days: Memory<Arc<[Counts]>>,
}

impl Site {
    pub(super) fn new(world_seed: u64, account_id: &str, property: Property) -> Self {
        let seed = mix(world_seed, hash_text(&property.id));
        let rhythm = (!property.steady).then(|| property.rhythm_zone.clone());
        Self {
            traffic: Traffic::new(seed, property.pageviews_per_hour, rhythm),
            audience: Audience::new(seed, &property.id),
            property,
            account_id: String::from(account_id),
            seed,
            days: Memory::new(MAX_DAYS),
            segmented_days: Memory::new(MAX_SEGMENTED_DAYS),
        }
    }

    /// Returns the number of regular visitors, for the estimate of distinct users.
    pub(super) fn regulars(&self) -> f64 {
        self.traffic.regulars()
    }

    /// Returns the counts that a core report shows at a time for the span between two Unix seconds. For days that are
    /// still revised, these differ from the final ones.
    pub(super) fn counts_at(&self, from: i64, until: i64, now: i64) -> Counts {
        if !self.is_revised(until, now) {
            return self.counts(from, until);
        }
        let mut sum = Counts::default();
        self.each_seen(from, until, now, |_, part| sum += part);
        sum
    }

    /// Splits the same counts by [`Audience`] segment.
    pub(super) fn segments_at(&self, from: i64, until: i64, now: i64) -> Arc<[Counts]> {
        if !self.is_revised(until, now) {
            return self.segments(from, until);
        }
        let mut sums = vec![Counts::default(); SEGMENTS];
        self.each_seen(from, until, now, |phase, part| self.audience.split(part, phase, &mut sums));
        sums.into()
    }

    fn is_revised(&self, until: i64, now: i64) -> bool {
        self.property.revised && revision::is_open(until, now)
    }

    /// Visits each minute as often as it is counted at a time, with the number that splits it among the audience.
    fn each_seen(&self, from: i64, until: i64, now: i64, mut visit: impl FnMut(u64, Counts)) {
        let from = from.max(self.property.created.as_second());
        self.each_part(from, until, true, |minute, part| {
            let phase = mix(self.seed, key(minute));
            let Seen { once, twice } = revision::seen(phase, minute * 60, now);
            if once {
                visit(phase, part);
            }
            if twice {
                visit(!phase, part);
            }
        });
    }

    /// Returns the counts between two Unix seconds; nothing before the creation of the property.
    pub(super) fn counts(&self, from: i64, until: i64) -> Counts {
        let from = from.max(self.property.created.as_second());
        self.days.recall((from, until), || {
            let mut sum = Counts::default();
            self.each_part(from, until, false, |_, part| sum += part);
            sum
        })
    }

    /// Returns the same counts by [`Audience`] segment.
    pub(super) fn segments(&self, from: i64, until: i64) -> Arc<[Counts]> {
        let from = from.max(self.property.created.as_second());
        self.segmented_days.recall((from, until), || {
            let mut sums = vec![Counts::default(); SEGMENTS];
            self.each_part(from, until, true, |minute, part| {
                let phase = mix(self.seed, key(minute));
                self.audience.split(part, phase, &mut sums);
            });
            sums.into()
        })
    }

    /// Splits a span of time into whole hours if possible, and into minutes and parts of minutes elsewhere.
    fn each_part(&self, from: i64, until: i64, minutes: bool, mut visit: impl FnMut(i64, Counts)) {
        let mut begin = from;
        while begin < until {
            let hour = begin.div_euclid(3600);
            let end = until.min((hour + 1) * 3600);
            if !minutes && end - begin == 3600 && !self.is_modified(begin, end) {
                visit(hour * 60, self.traffic.hour(hour));
            } else {
                self.each_minute(hour, begin, end, &mut visit);
            }
            begin = end;
        }
    }

    fn each_minute(&self, hour: i64, from: i64, until: i64, visit: &mut impl FnMut(i64, Counts)) {
        for (minute, counts) in (hour * 60..).zip(self.traffic.minutes(hour)) {
            let begin = from.max(minute * 60);
            let end = until.min((minute + 1) * 60);
            if begin < end && counts.pageviews > 0 {
                visit(minute, self.part_of_minute(minute, counts, begin, end));
            }
        }
    }

    /// Returns the part of a minute between two times. Within each piece of constant traffic it is the difference of
    /// two points of one increasing curve, so that adjacent parts add up.
    fn part_of_minute(&self, minute: i64, counts: Counts, from: i64, until: i64) -> Counts {
        let phase = mix(self.seed, key(minute));
        let start = minute * 60;
        let seen = |second: i64| {
            let elapsed = (second - start).clamp(0, 60).unsigned_abs();
            share(counts.pageviews, elapsed, 60, phase)
        };
        if !self.is_modified(start, start + 60) {
            return counts.part(seen(from), seen(until), phase);
        }
        let mut cuts = vec![start, start + 60];
        for modifier in &self.property.modifiers {
            cuts.extend([modifier.from, modifier.until].map(|cut| cut.clamp(start, start + 60)));
        }
        cuts.sort_unstable();
        let mut sum = Counts::default();
        for (begin, end) in cuts.iter().copied().zip(cuts.iter().copied().skip(1)) {
            let asked = [from, until].map(|second| seen(second.clamp(begin, end)));
            sum += scaled(&counts, (seen(begin), seen(end)), asked, self.factor(begin), phase);
        }
        sum
    }

    /// Returns the factor that the traffic is multiplied by at this time.
    fn factor(&self, second: i64) -> f64 {
        self.property
            .modifiers
            .iter()
            .filter(|modifier| (modifier.from..modifier.until).contains(&second))
            .map(|modifier| modifier.factor)
            .product()
    }

    fn is_modified(&self, from: i64, until: i64) -> bool {
        self.property.modifiers.iter().any(|modifier| modifier.from < until && from < modifier.until)
    }
}

/// Returns the pageviews `from..to` of a piece of a minute with multiplied traffic.
fn scaled(counts: &Counts, (begin, end): (u64, u64), [from, to]: [u64; 2], factor: f64, phase: u64) -> Counts {
    // The same fraction for the whole piece rounds up the right share of pieces.
    let fraction = real(phase >> 40) / real(1 << 24);
    let place = |index: u64| whole((factor * real(index - begin) + fraction).floor());
    let piece = counts.part(begin, end, phase);
    piece.part(place(from), place(to), phase)
}

/// A limited cache of values of whole days, by their first and last second.
#[derive(Debug)]
struct Memory<T> {
    limit: usize,
    values: Mutex<HashMap<(i64, i64), T>>,
}

impl<T: Clone> Memory<T> {
    fn new(limit: usize) -> Self {
        Self { limit, values: Mutex::default() }
    }

    fn recall(&self, day: (i64, i64), compute: impl FnOnce() -> T) -> T {
        if !is_memorable(day) {
            return compute();
        }
        let known = self.values().get(&day).cloned();
        known.unwrap_or_else(|| {
            let value = compute();
            let mut values = self.values();
            if values.len() >= self.limit {
                values.clear();
            }
            values.insert(day, value.clone());
            value
        })
    }

    fn values(&self) -> MutexGuard<'_, HashMap<(i64, i64), T>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether a span is cached. Only whole days are: shorter spans are cheap, and spans that end now change
/// every second. Days end on a quarter of an hour in every zone.
fn is_memorable((from, until): (i64, i64)) -> bool {
    until - from >= MEMORABLE_SECONDS && until % 900 == 0
}

/// The shortest day on record had 21 hours.
const MEMORABLE_SECONDS: i64 = 20 * 3600;

/// Cached days per property, 100 bytes each.
const MAX_DAYS: usize = 400;

/// Cached days per property and segment, 10 kB each.
const MAX_SEGMENTED_DAYS: usize = 64;

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const NOON: i64 = 1_800_014_400;

    fn site(property: Property) -> Site {
        Site::new(1, "100", property.pageviews_per_hour(7000.0))
    }

    fn plain() -> Property {
        Property::new("313110001", "Shop")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn sum(parts: impl IntoIterator<Item = Counts>) -> Counts {
        parts.into_iter().fold(Counts::default(), |mut sum, part| {
            sum += part;
            sum
        })
    }

    #[test]
    fn any_partition_adds_up() {
        let half = plain().scaled(at(NOON + 1234), at(NOON + 50_021), 0.37);
        let busy = plain().scaled(at(NOON + 7), at(NOON + 9), 2.5).outage(at(NOON + 30), at(NOON + 95));
        for property in [plain(), half, busy] {
            let site = site(property);
            let whole = site.counts(NOON - 86_400, NOON + 86_400);
            let cuts = [-86_400, -3600, -61, 0, 1, 8, 59, 60, 61, 3599, 3600, 40_000, 86_400];
            let parts =
                cuts.iter().zip(cuts.iter().skip(1)).map(|(from, until)| site.counts(NOON + from, NOON + until));
            assert_eq!(sum(parts), whole);
            assert!(whole.pageviews > 10_000);
            let segments = site.segments(NOON - 86_400, NOON + 86_400);
            assert_eq!(sum(segments.iter().copied()), whole);
        }
    }

    #[test]
    fn an_outage_is_exact_to_the_second_and_leaves_the_rest_alone() {
        let (from, until) = (NOON + 125, NOON + 3725);
        let (healthy, ill) = (site(plain()), site(plain().outage(at(from), at(until))));
        assert_eq!(ill.counts(from, until), Counts::default());
        let before = (NOON - 9000, from);
        assert_eq!(ill.counts(before.0, before.1), healthy.counts(before.0, before.1));
        let after = ill.counts(until, until + 9000);
        assert_eq!(after, healthy.counts(until, until + 9000));
        assert!(after.pageviews > 0);
    }

    #[test]
    fn overlapping_modifiers_multiply() {
        let twice = plain().outage(at(NOON), at(NOON + 100)).outage(at(NOON + 50), at(NOON + 200));
        assert_eq!(site(twice).counts(NOON, NOON + 200), Counts::default());
    }

    #[test]
    fn a_scaled_stretch_has_its_share_at_any_size() {
        let (from, until) = (NOON, NOON + 5 * 86_400);
        for size in [20.0, 7000.0] {
            let whole = plain().pageviews_per_hour(size);
            let half = whole.clone().scaled(at(from), at(until), 0.5);
            let pageviews = |property| Site::new(1, "100", property).counts(from, until).pageviews;
            let ratio = real(pageviews(half)) / real(pageviews(whole));
            assert!((ratio - 0.5).abs() < 0.04, "{ratio} of {size}");
        }
    }

    #[test]
    fn the_memory_is_bounded_and_returns_what_it_was_given() {
        let site = site(plain());
        let first = site.counts(NOON, NOON + 86_400);
        for day in 0..500 {
            site.counts(NOON + day * 86_400, NOON + (day + 1) * 86_400);
        }
        assert!(site.days.values().len() <= MAX_DAYS);
        assert_eq!(site.counts(NOON, NOON + 86_400), first);
    }
}
