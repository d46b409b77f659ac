//! Generates the visits of each hour, and distributes their pageviews over its minutes.
//!
//! Pure: a function of the property's seed, size and zone. The cost of an hour does not depend on the size, so 28
//! days of a large property are as cheap as those of a small one. Minutes are parts of their hour, so they add up.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    counts::{Counts, share},
    random::{Random, key, mix, real, whole},
};

/// The traffic of a property before outages and campaigns.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    seed: u64,
    visits_per_hour: f64,
    /// The zone of the daily and weekly rhythm; `None` means no rhythm.
    rhythm: Option<TimeZone>,
}

impl Traffic {
    pub(super) fn new(seed: u64, pageviews_per_hour: f64, rhythm: Option<TimeZone>) -> Self {
        Self { seed, visits_per_hour: pageviews_per_hour / PAGES_PER_VISIT, rhythm }
    }

    /// Returns the number of regular visitors, for the estimate of distinct users.
    pub(super) fn regulars(&self) -> f64 {
        (self.visits_per_hour * VISITOR_POOL_HOURS).max(3.0)
    }

    /// Returns the counts of the hour that starts at `hour` × 3600 Unix seconds.
    pub(super) fn hour(&self, hour: i64) -> Counts {
        if self.visits_per_hour <= 0.0 {
            return Counts::default();
        }
        let mut random = Random::new(self.seed, key(hour));
        let expected = self.visits_per_hour * self.level(hour) * (0.05 * random.normal()).exp();
        let sessions = random.poisson(expected);
        let pageviews = sessions + more_pages(sessions, &mut random);
        let mut portion = |of: u64, ratio: f64| {
            let spread = (real(of) * ratio * (1.0 - ratio)).sqrt() * random.normal();
            whole(real(of) * ratio + spread).min(of)
        };
        let key_events = portion(sessions, 0.03);
        Counts {
            pageviews,
            sessions,
            new_users: portion(sessions, 0.42),
            engaged_sessions: portion(sessions, 0.61),
            engagements: portion(pageviews, 0.83),
            scrolls: portion(pageviews, 0.31),
            key_events,
            seconds: whole(real(pageviews) * (38.0 + 3.0 * random.normal())),
            revenue_cents: key_events * (3_900 + random.below(2_400)),
        }
    }

    /// Returns the sixty minutes of that hour; they add up exactly to [`Traffic::hour`].
    pub(super) fn minutes(&self, hour: i64) -> [Counts; 60] {
        let whole_hour = self.hour(hour);
        let mut minutes = [Counts::default(); 60];
        if whole_hour.pageviews == 0 {
            return minutes;
        }
        let mut random = Random::new(mix(self.seed, MINUTES), key(hour));
        let per_minute = real(whole_hour.sessions) / 60.0;
        let mut weights: [u64; 60] = std::array::from_fn(|_| clump(per_minute, &mut random));
        let phase = random.bits();
        if weights.iter().all(|weight| *weight == 0) {
            let lucky = random.below(60);
            weights = std::array::from_fn(|minute| u64::from(minute as u64 == lucky));
        }
        let all: u64 = weights.iter().sum();
        let (mut passed, mut from) = (0, 0);
        for (minute, weight) in minutes.iter_mut().zip(weights) {
            passed += weight;
            let to = share(whole_hour.pageviews, passed, all, phase);
            *minute = whole_hour.part(from, to, phase);
            from = to;
        }
        minutes
    }

    /// Returns the traffic of an hour relative to the average: the daily and weekly rhythm in the visitors' zone,
    /// times a random factor of the day.
    fn level(&self, hour: i64) -> f64 {
        let Some(zone) = &self.rhythm else {
            return 1.0;
        };
        let Ok(begin) = Timestamp::from_second(hour * 3600) else {
            return 1.0;
        };
        let local = zone.to_datetime(begin);
        let of_hour = DAY.get(usize::from(local.hour().unsigned_abs()));
        let weekday = local.weekday().to_monday_zero_offset().unsigned_abs();
        let of_day = WEEK.get(usize::from(weekday));
        let date = mix(key(local.year().into()), key(local.day_of_year().into()));
        let luck = 0.06 * Random::new(mix(self.seed, DAYS), date).normal();
        of_hour.unwrap_or(&1.0) * of_day.unwrap_or(&1.0) * luck.exp()
    }
}

/// Returns the pageviews after the first one of each visit: a sum of geometric draws, or its normal approximation if
/// there are many.
fn more_pages(visits: u64, random: &mut Random) -> u64 {
    let more = PAGES_PER_VISIT - 1.0;
    if visits >= 30 {
        let spread = (real(visits) * more * PAGES_PER_VISIT).sqrt() * random.normal();
        return whole(real(visits) * more + spread);
    }
    let go_on = more / PAGES_PER_VISIT;
    (0..visits).map(|_| (0..40).take_while(|_| random.unit() < go_on).count() as u64).sum()
}

/// Returns the weight of a minute with `mean` visits on average. Each visit has an exponentially distributed weight,
/// so the minutes of a small property are mostly empty and occasionally busy.
fn clump(mean: f64, random: &mut Random) -> u64 {
    let visits = random.poisson(mean);
    let weight = if visits < 8 {
        (0..visits).map(|_| -(1.0 - random.unit()).ln()).sum()
    } else {
        real(visits) + real(visits).sqrt() * random.normal()
    };
    whole(weight * 1000.0)
}

/// Average pageviews per visit.
const PAGES_PER_VISIT: f64 = 2.7;

/// The number of regular visitors of a property, in hours of average visits.
const VISITOR_POOL_HOURS: f64 = 90.0;

/// Keys of the other random streams of a property.
const MINUTES: u64 = 0x6d69_6e75_7465;
const DAYS: u64 = 0x6461_7973;

/// The local hours of a day relative to its average: lowest at four, busy at noon, busiest at nine in the evening.
const DAY: [f64; 24] = [
    0.55, 0.34, 0.22, 0.16, 0.14, 0.19, 0.36, 0.63, 0.92, 1.13, 1.25, 1.30, 1.31, 1.28, 1.24, 1.22, 1.23, 1.28, 1.38,
    1.53, 1.69, 1.78, 1.63, 1.24,
];

/// Monday to Sunday relative to the average day.
const WEEK: [f64; 7] = [1.08, 1.06, 1.05, 1.03, 0.96, 0.86, 0.96];

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(pageviews_per_hour: f64) -> Traffic {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Traffic::new(42, pageviews_per_hour, Some(zone))
    }

    fn sum(counts: impl IntoIterator<Item = Counts>) -> Counts {
        counts.into_iter().fold(Counts::default(), |mut sum, part| {
            sum += part;
            sum
        })
    }

    #[test]
    fn minutes_add_up_to_their_hour_at_any_size() {
        for size in [0.0, 0.3, 5.0, 600.0, 40_000.0, 1e8] {
            let traffic = traffic(size);
            for hour in 490_000..490_048 {
                assert_eq!(sum(traffic.minutes(hour)), traffic.hour(hour), "size {size}");
            }
        }
    }

    #[test]
    fn the_average_week_has_the_size_asked_for() {
        let week = sum((490_000..490_000 + 7 * 24).map(|hour| traffic(6000.0).hour(hour)));
        let mean = real(week.pageviews) / 168.0;
        assert!((mean / 6000.0 - 1.0).abs() < 0.1, "{mean}");
    }

    #[test]
    fn nights_are_quiet_and_evenings_busy_where_the_visitors_live() {
        let at = |text: &str| {
            let local: jiff::civil::DateTime = text.parse().unwrap();
            let zoned = local.in_tz("Europe/Berlin").unwrap();
            zoned.timestamp().as_second() / 3600
        };
        let traffic = traffic(6000.0);
        let night = traffic.hour(at("2026-07-07T04:00")).pageviews;
        let evening = traffic.hour(at("2026-07-07T21:00")).pageviews;
        assert!(evening > 6 * night, "{night} at night, {evening} in the evening");
    }

    #[test]
    fn pageviews_of_a_small_property_come_in_clumps() {
        // 60 pageviews per hour: if they were independent, the variance of a minute would equal its mean.
        let minutes: Vec<f64> = (490_000..490_200)
            .flat_map(|hour| Traffic::new(1, 60.0, None).minutes(hour))
            .map(|minute| real(minute.pageviews))
            .collect();
        let count = real(minutes.len() as u64);
        let mean = minutes.iter().sum::<f64>() / count;
        let variance = minutes.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        assert!(variance > 2.0 * mean, "mean {mean}, variance {variance}");
    }
}
