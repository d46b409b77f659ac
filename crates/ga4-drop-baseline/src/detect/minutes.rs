//! Pageviews by clock minute, merged from realtime answers over hours.
//!
//! Every answer covers the last 30 minutes, so late events correct earlier counts, and gaps of up to 29 minutes are
//! filled later. Refuses to know expectations. Invariant: a minute is either counted, possibly as 0, or was never
//! seen; the current minute is not included.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A clock minute, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Minute(i32);

impl Minute {
    /// Returns the minute that contains this time.
    pub fn of(at: Timestamp) -> Self {
        Self::new(at.as_second().div_euclid(SECONDS))
    }

    /// Returns the start of the minute.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0) * SECONDS).unwrap_or(Timestamp::MAX)
    }

    /// Returns the minute that is this many minutes later; a negative number gives an earlier one.
    #[must_use]
    pub fn later(self, minutes: i64) -> Self {
        Self::new(i64::from(self.0).saturating_add(minutes))
    }

    /// Returns the number of minutes from this one to another.
    pub fn until(self, other: Self) -> i64 {
        i64::from(other.0) - i64::from(self.0)
    }

    /// Returns the minutes since the last multiple of ten in UTC.
    pub fn of_ten(self) -> i64 {
        i64::from(self.0.rem_euclid(10))
    }

    /// The largest value is in the year 6053.
    fn new(minutes: i64) -> Self {
        Self(i32::try_from(minutes).unwrap_or(if minutes < 0 { i32::MIN } else { i32::MAX }))
    }
}

/// The counts of one realtime answer by minutes ago, starting with the current minute. No count is larger than
/// [`LARGEST_COUNT`].
pub type MinutesAgo = [u64; COVERED];

/// The last hours of one property.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Minutes {
    /// The minute of the last count; older counts precede it without gaps.
    newest: Option<Minute>,
    /// At most [`KEPT`] counts.
    counts: Vec<Seen>,
}

/// The count plus 1, or 0 for a minute that was not seen. It takes five bytes to save memory, and [`LARGEST_COUNT`]
/// needs all of them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Option<u64>", into = "Option<u64>")]
struct Seen([u8; 5]);

impl From<Option<u64>> for Seen {
    fn from(count: Option<u64>) -> Self {
        let more = count.map_or(0, |count| count.min(LARGEST_COUNT) + 1);
        let [a, b, c, d, e, ..] = more.to_le_bytes();
        Self([a, b, c, d, e])
    }
}

impl From<Seen> for Option<u64> {
    fn from(Seen([a, b, c, d, e]): Seen) -> Self {
        u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]).checked_sub(1)
    }
}

impl Minutes {
    /// Merges an answer to a request that was sent and answered at these times by this machine's clock.
    pub fn take(&mut self, answer: &MinutesAgo, sent_at: Timestamp, received_at: Timestamp) {
        let current = self.current_minute(answer, sent_at, received_at);
        // Removes counts that were stored while the clock was ahead.
        self.forget_after(current.later(-1));
        for (ago, count) in (0_i64..).zip(answer).skip(1) {
            let minute = current.later(-ago);
            // Part of the oldest minute may already be outside Google's window.
            if ago < OLDEST || self.get(minute).is_none() {
                self.put(minute, *count);
            }
        }
    }

    /// Sets the count of one whole minute.
    pub fn put(&mut self, minute: Minute, count: u64) {
        let newest = *self.newest.get_or_insert(minute);
        let further = newest.until(minute);
        if further >= i64::try_from(KEPT).unwrap_or(i64::MAX) {
            self.counts.clear();
        }
        if self.counts.is_empty() || further > 0 {
            let unseen = usize::try_from(further - 1).unwrap_or(0).min(KEPT);
            let unseen = if self.counts.is_empty() { 0 } else { unseen };
            self.counts.extend(std::iter::repeat_n(Seen::default(), unseen));
            self.counts.push(Seen::from(Some(count)));
            self.newest = Some(minute);
            self.counts.drain(..self.counts.len().saturating_sub(KEPT));
            return;
        }
        self.put_before(usize::try_from(-further).unwrap_or(usize::MAX), count);
    }

    /// Returns the count of a minute that was seen.
    pub fn get(&self, minute: Minute) -> Option<u64> {
        let before_newest = usize::try_from(minute.until(self.newest?)).ok()?;
        let place = self.counts.len().checked_sub(before_newest + 1)?;
        self.counts.get(place).copied().and_then(Option::from)
    }

    /// Returns the last counted minute.
    pub fn newest(&self) -> Option<Minute> {
        self.newest
    }

    /// Returns the counts of `length` minutes, the last of which is `newest`, oldest first.
    pub fn last(&self, length: usize, newest: Minute) -> Vec<Option<u64>> {
        let ago = (0..i64::try_from(length).unwrap_or(i64::MAX)).rev();
        ago.map(|ago| self.get(newest.later(-ago))).collect()
    }

    /// Removes the counts of later minutes, which cannot be correct.
    fn forget_after(&mut self, minute: Minute) {
        let Some(newest) = self.newest.filter(|newest| *newest > minute) else { return };
        let gone = usize::try_from(minute.until(newest)).unwrap_or(usize::MAX);
        self.counts.truncate(self.counts.len().saturating_sub(gone));
        let unseen = self.counts.iter().rev().take_while(|seen| **seen == Seen::default()).count();
        self.counts.truncate(self.counts.len() - unseen);
        let back = i64::try_from(unseen).unwrap_or_default();
        self.newest = (!self.counts.is_empty()).then_some(minute.later(-back));
    }

    /// Returns the current minute of an answer. The clocks may differ by some seconds, and the minute may have
    /// changed in transit, so several minutes are possible; chooses the one for which the answer agrees best with the
    /// earlier counts.
    fn current_minute(&self, answer: &MinutesAgo, sent_at: Timestamp, received_at: Timestamp) -> Minute {
        let differ = SignedDuration::try_from(CLOCKS_DIFFER).unwrap_or_default();
        let first = Minute::of(sent_at.saturating_sub(differ).unwrap_or(sent_at));
        let last = Minute::of(received_at.saturating_add(differ).unwrap_or(received_at));
        let half_way = received_at.duration_since(sent_at) / 2;
        let likely = Minute::of(sent_at.saturating_add(half_way).unwrap_or(sent_at));
        let candidates = (0..=first.until(last).clamp(0, MOST_CANDIDATES)).map(|minutes| first.later(minutes));
        let best = candidates.min_by_key(|minute| (self.disagreement(answer, *minute), minute.until(likely).abs()));
        best.unwrap_or(likely)
    }

    /// Returns the sum of the changes to earlier counts if `current` were the current minute of the answer. Ignores
    /// the newest counted minute, since its last events may have arrived late.
    fn disagreement(&self, answer: &MinutesAgo, current: Minute) -> u64 {
        let before = |ago: i64| self.get(current.later(-ago)).filter(|_| Some(current.later(-ago)) != self.newest);
        let pairs = (0_i64..).zip(answer).skip(1).take(COVERED - 2);
        pairs.filter_map(|(ago, count)| Some(count.abs_diff(before(ago)?))).sum()
    }

    /// Sets the count that precedes the newest one by this many minutes.
    fn put_before(&mut self, before_newest: usize, count: u64) {
        if before_newest >= KEPT {
            return;
        }
        if let Some(missing) = (before_newest + 1).checked_sub(self.counts.len()).filter(|missing| *missing > 0) {
            self.counts.splice(..0, std::iter::repeat_n(Seen::default(), missing));
        }
        let place = self.counts.len() - before_newest - 1;
        if let Some(slot) = self.counts.get_mut(place) {
            *slot = Seen::from(Some(count));
        }
    }
}

/// Number of minutes that a realtime answer of a standard property covers, including the current one
/// (google/analytics/data/v1beta/data.proto, MinuteRange).
pub const COVERED: usize = 30;

/// Number of minutes that are stored: the longest window, and what a calibration needs before it.
pub const KEPT: usize = 390;

/// The largest count, more than the world has. Readers of foreign counts reject larger ones.
pub const LARGEST_COUNT: u64 = 1_000_000_000_000;

/// Converts a count to a floating-point number.
#[expect(clippy::cast_precision_loss, reason = "counts are far smaller than 2^53")]
pub fn as_number(count: u64) -> f64 {
    count as f64
}

const OLDEST: i64 = 29;

const SECONDS: i64 = 60;

/// Largest expected difference between Google's clock and this machine's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(5);

/// A request takes at most one minute.
const MOST_CANDIDATES: i64 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// 12:00 of an arbitrary day.
    const NOON: Minute = Minute(29_399_760);

    fn at(minute: i64, second: i64) -> Timestamp {
        NOON.later(minute).start() + SignedDuration::from_secs(second)
    }

    /// An answer in which minute `m` after noon has `count(m)`; the current minute is half over.
    fn answer(current: i64, count: impl Fn(i64) -> u64) -> MinutesAgo {
        std::array::from_fn(|ago| {
            let ago = i64::try_from(ago).unwrap();
            count(current - ago) / if ago == 0 { 2 } else { 1 }
        })
    }

    fn seen(minutes: &Minutes, from: i64, to: i64) -> Vec<Option<u64>> {
        (from..=to).map(|minute| minutes.get(NOON.later(minute))).collect()
    }

    fn wave(minute: i64) -> u64 {
        u64::try_from(100 + minute.rem_euclid(7) * 13).unwrap()
    }

    #[test]
    fn the_first_answer_brings_29_whole_minutes() {
        let mut minutes = Minutes::default();
        minutes.take(&answer(0, wave), at(0, 20), at(0, 21));
        assert_eq!(minutes.newest(), Some(NOON.later(-1)));
        assert_eq!(seen(&minutes, -31, 0).iter().flatten().count(), 29);
        assert_eq!(seen(&minutes, -29, -1), (-29..=-1).map(|minute| Some(wave(minute))).collect::<Vec<_>>());
        assert_eq!(minutes.last(3, NOON.later(-1)), [Some(wave(-3)), Some(wave(-2)), Some(wave(-1))]);
    }

    #[test]
    fn late_events_correct_minutes_but_the_oldest_may_be_cut_off() {
        let mut minutes = Minutes::default();
        minutes.take(&answer(0, |_| 10), at(0, 20), at(0, 21));
        minutes.take(&answer(1, |minute| if minute == -28 { 3 } else { 11 }), at(1, 20), at(1, 21));
        assert_eq!(seen(&minutes, -29, 0)[..3], [Some(10), Some(10), Some(11)]);
        assert_eq!(seen(&minutes, -1, 1), [Some(11), Some(11), None]);
    }

    #[test]
    fn a_gap_of_29_minutes_heals_and_a_longer_one_is_never_seen() {
        let mut minutes = Minutes::default();
        minutes.take(&answer(0, wave), at(0, 20), at(0, 21));
        minutes.take(&answer(29, wave), at(29, 20), at(29, 21));
        assert_eq!(seen(&minutes, -29, 28), (-29..=28).map(|minute| Some(wave(minute))).collect::<Vec<_>>());
        minutes.take(&answer(60, wave), at(60, 20), at(60, 21));
        assert_eq!(seen(&minutes, 28, 32), [Some(wave(28)), None, None, Some(wave(31)), Some(wave(32))]);
    }

    #[test]
    fn no_more_is_kept_than_needed() {
        let mut minutes = Minutes::default();
        for current in 0..1000 {
            minutes.take(&answer(current, wave), at(current, 20), at(current, 21));
        }
        assert_eq!(minutes.counts.len(), KEPT);
        assert_eq!((minutes.get(NOON.later(999 - 390)), minutes.get(NOON.later(999 - 391))), (Some(wave(609)), None));
        minutes.take(&answer(100_000, wave), at(100_000, 20), at(100_000, 21));
        assert_eq!(minutes.counts.len(), 29, "after a long pause nothing of before is left");
    }

    #[test]
    fn an_answer_over_the_turn_of_a_minute_falls_into_place() {
        for current in [1, 2] {
            let mut minutes = Minutes::default();
            minutes.take(&answer(0, wave), at(0, 30), at(0, 31));
            minutes.take(&answer(current, wave), at(1, 59), at(2, 1));
            let newest = current - 1;
            assert_eq!(minutes.newest(), Some(NOON.later(newest)));
            assert_eq!(seen(&minutes, -29, newest), (-29..=newest).map(|m| Some(wave(m))).collect::<Vec<_>>());
        }
    }

    #[test]
    fn clocks_may_differ_by_seconds() {
        let mut minutes = Minutes::default();
        minutes.take(&answer(0, wave), at(0, 30), at(0, 31));
        // Google's clock is three seconds ahead.
        minutes.take(&answer(2, wave), at(1, 57), at(1, 58));
        assert_eq!(minutes.newest(), Some(NOON.later(1)));
        assert_eq!(minutes.get(NOON.later(1)), Some(wave(1)));
    }

    #[test]
    fn without_anything_to_compare_the_middle_of_the_request_decides() {
        let mut minutes = Minutes::default();
        minutes.take(&answer(2, wave), at(1, 58), at(2, 4));
        assert_eq!(minutes.newest(), Some(NOON.later(1)));
    }

    #[test]
    fn a_clock_that_was_set_back_takes_the_future_with_it() {
        let mut minutes = Minutes::default();
        minutes.take(&answer(0, wave), at(0, 20), at(0, 21));
        minutes.forget_after(NOON.later(-10));
        assert_eq!((minutes.newest(), minutes.get(NOON.later(-10))), (Some(NOON.later(-10)), Some(wave(-10))));
        minutes.forget_after(NOON.later(-100));
        assert_eq!(minutes, Minutes::default());
    }

    #[test]
    fn the_largest_count_is_kept_as_it_is() {
        for count in [1, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 32, LARGEST_COUNT - 1, LARGEST_COUNT] {
            let mut minutes = Minutes::default();
            minutes.take(&[count; COVERED], at(0, 20), at(0, 21));
            let kept: Minutes = serde_json::from_str(&serde_json::to_string(&minutes).unwrap()).unwrap();
            assert_eq!((minutes.get(NOON.later(-5)), kept), (Some(count), minutes.clone()));
        }
    }

    #[test]
    fn zero_is_a_count() {
        let mut minutes = Minutes::default();
        minutes.take(&[0; COVERED], at(0, 20), at(0, 21));
        assert_eq!(minutes.get(NOON.later(-5)), Some(0));
    }
}
