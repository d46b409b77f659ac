//! The formula of each metric: a count of the simulated site, or the ratio of two counts.
//!
//! Metrics of features that the simulated sites do not have (advertising, Search Console, refunds, cohorts) are 0.

use super::{
    tally::{Event, Tally},
    value::Value,
};

/// A multiple of a count, optionally divided by a multiple of another count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Formula {
    times: u64,
    count: Count,
    per: Option<(u64, Count)>,
}

#[derive(Clone, Copy, Debug)]
enum Count {
    Nothing,
    One,
    PageViews,
    TotalUsers,
    ActiveUsers,
    NewUsers,
    Sessions,
    EngagedSessions,
    BouncedSessions,
    Events,
    KeyEvents,
    Purchasers,
    ScrolledUsers,
    Cents,
    Seconds,
    Of(Event),
    SessionsWith(Event),
    UsersWith(Event),
}

/// Returns the formula of a metric by its name.
pub(super) fn of(name: &str) -> Formula {
    let entry = FORMULAS.iter().find(|(other, _)| *other == name);
    entry.map_or(count(0, Count::Nothing), |(_, formula)| *formula)
}

/// Returns the formula of a metric that adds up this amount for every purchase.
pub(super) fn per_purchase(amount: u64) -> Formula {
    count(amount, Count::KeyEvents)
}

/// Returns the formula of the average of such a metric.
pub(super) fn average_per_purchase(amount: u64) -> Formula {
    Formula { times: amount, ..ratio(Count::KeyEvents, Count::KeyEvents) }
}

/// Returns the formula of pageviews divided by sessions.
pub(super) fn pageviews_per_session() -> Formula {
    ratio(Count::PageViews, Count::Sessions)
}

/// Returns the formulas of a key event: its count, and the parts of the sessions and of the users that have it.
pub(super) fn of_key_event(event: Option<Event>) -> [Formula; 3] {
    let Some(event) = event else {
        return [count(0, Count::Nothing); 3];
    };
    [
        count(1, Count::Of(event)),
        ratio(Count::SessionsWith(event), Count::Sessions),
        ratio(Count::UsersWith(event), Count::ActiveUsers),
    ]
}

impl Formula {
    pub(super) fn value(&self, tally: &Tally) -> Value {
        let part = self.times * self.count.of(tally);
        match self.per {
            Some((times, other)) => Value::ratio(part, times * other.of(tally)),
            None => Value::whole(part),
        }
    }
}

impl Count {
    fn of(self, tally: &Tally) -> u64 {
        let counts = &tally.counts;
        match self {
            Self::Nothing => 0,
            Self::One => 1,
            Self::PageViews => counts.pageviews,
            Self::TotalUsers => tally.total_users(),
            Self::ActiveUsers => tally.active_users(),
            Self::NewUsers => counts.new_users,
            Self::Sessions => counts.sessions,
            Self::EngagedSessions => counts.engaged_sessions,
            Self::BouncedSessions => counts.sessions - counts.engaged_sessions,
            Self::Events => tally.events,
            Self::KeyEvents => counts.key_events,
            Self::Purchasers => counts.key_events.min(tally.active_users()),
            Self::ScrolledUsers => counts.scrolls.min(tally.active_users()),
            Self::Cents => counts.revenue_cents,
            Self::Seconds => counts.seconds,
            Self::Of(event) => event.count(counts),
            Self::SessionsWith(event) => event.count(counts).min(counts.sessions),
            Self::UsersWith(event) => event.count(counts).min(tally.active_users()),
        }
    }
}

const fn count(times: u64, count: Count) -> Formula {
    Formula { times, count, per: None }
}

const fn ratio(count: Count, per: Count) -> Formula {
    Formula { times: 1, count, per: Some((1, per)) }
}

/// Money is counted in hundredths.
const fn money(per: Count) -> Formula {
    Formula { times: 1, count: Count::Cents, per: Some((100, per)) }
}

#[rustfmt::skip] // a table
const FORMULAS: &[(&str, Formula)] = &[
    ("active1DayUsers", count(1, Count::ActiveUsers)),
    ("active7DayUsers", count(1, Count::ActiveUsers)), // the window before the range is left out
    ("active28DayUsers", count(1, Count::ActiveUsers)),
    ("activeUsers", count(1, Count::ActiveUsers)),
    ("addToCarts", count(4, Count::KeyEvents)),
    ("averagePurchaseRevenue", money(Count::KeyEvents)),
    ("averagePurchaseRevenuePerPayingUser", money(Count::Purchasers)),
    ("averagePurchaseRevenuePerUser", money(Count::ActiveUsers)),
    ("averageRevenuePerUser", money(Count::ActiveUsers)),
    ("averageSessionDuration", ratio(Count::Seconds, Count::Sessions)),
    ("bounceRate", ratio(Count::BouncedSessions, Count::Sessions)),
    ("cartToViewRate", ratio(Count::Purchasers, Count::ActiveUsers)),
    ("checkouts", count(2, Count::KeyEvents)),
    ("crashFreeUsersRate", ratio(Count::ActiveUsers, Count::ActiveUsers)),
    ("ecommercePurchases", count(1, Count::KeyEvents)),
    ("engagedSessions", count(1, Count::EngagedSessions)),
    ("engagementRate", ratio(Count::EngagedSessions, Count::Sessions)),
    ("eventCount", count(1, Count::Events)),
    ("eventCountPerUser", ratio(Count::Events, Count::ActiveUsers)),
    ("eventValue", money(Count::One)),
    ("eventsPerSession", ratio(Count::Events, Count::Sessions)),
    ("grossItemRevenue", money(Count::One)),
    ("grossPurchaseRevenue", money(Count::One)),
    ("itemRevenue", money(Count::One)),
    ("itemViewEvents", count(8, Count::KeyEvents)),
    ("itemsAddedToCart", count(5, Count::KeyEvents)),
    ("itemsCheckedOut", count(3, Count::KeyEvents)),
    ("itemsPurchased", count(2, Count::KeyEvents)),
    ("itemsViewed", count(9, Count::KeyEvents)),
    ("keyEvents", count(1, Count::KeyEvents)),
    ("newUsers", count(1, Count::NewUsers)),
    ("purchaseRevenue", money(Count::One)),
    ("purchaseToViewRate", ratio(Count::Purchasers, Count::ActiveUsers)),
    ("purchaserRate", ratio(Count::Purchasers, Count::ActiveUsers)),
    ("screenPageViews", count(1, Count::PageViews)),
    ("screenPageViewsPerSession", ratio(Count::PageViews, Count::Sessions)),
    ("screenPageViewsPerUser", ratio(Count::PageViews, Count::ActiveUsers)),
    ("scrolledUsers", count(1, Count::ScrolledUsers)),
    ("sessionKeyEventRate", ratio(Count::KeyEvents, Count::Sessions)),
    ("sessions", count(1, Count::Sessions)),
    ("sessionsPerUser", ratio(Count::Sessions, Count::ActiveUsers)),
    ("totalPurchasers", count(1, Count::Purchasers)),
    ("totalRevenue", money(Count::One)),
    ("totalUsers", count(1, Count::TotalUsers)),
    ("transactions", count(1, Count::KeyEvents)),
    ("transactionsPerPurchaser", ratio(Count::KeyEvents, Count::Purchasers)),
    ("userEngagementDuration", count(1, Count::Seconds)),
    ("userKeyEventRate", ratio(Count::Purchasers, Count::ActiveUsers)),
];

#[cfg(test)]
mod tests {
    use super::{
        super::fields::{Category, Fields},
        *,
    };

    #[test]
    fn every_formula_is_a_metrics() {
        for (name, _) in FORMULAS {
            assert!(Fields::standard(Category::Core).metric(name).is_some(), "{name}");
        }
    }

    #[test]
    fn rates_are_ratios_of_counts() {
        let tally = Tally::sample();
        let value = |name: &str| of(name).value(&tally).number;
        assert!((value("bounceRate") + value("engagementRate") - 1.0).abs() < 1e-12);
        assert!((value("sessionsPerUser") * value("activeUsers") - value("sessions")).abs() < 1e-6);
        assert!(value("screenPageViewsPerSession") > 1.0 && value("userKeyEventRate") < 1.0);
        assert_eq!(of("advertiserAdCost").value(&tally).text, "0");
    }
}
