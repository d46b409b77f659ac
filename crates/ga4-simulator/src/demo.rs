//! The world of `google_analytics_exporter demo`.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use super::world::{Account, Property, World};

impl World {
    /// Eight properties of three accounts with different zones and sizes: steady ones, one of them with custom fields
    /// ([`World::DEMO_QUOTED`], [`Property::example_custom_fields`]), a tiny one
    /// ([`World::DEMO_TINY`]), one with zero traffic ([`World::DEMO_SILENT`]), one that the Data API refuses
    /// ([`World::DEMO_FORBIDDEN`]), and one ([`World::DEMO_STOPPING`]) whose traffic stops with the last whole minute
    /// within two minutes of `now`, and resumes an hour later. A realtime report of the minutes 5 to 1 ago then reads
    /// 0 from seven minutes after `now` on, which leaves one minute for clients that poll once a minute.
    #[must_use]
    pub fn demo(now: Timestamp) -> Self {
        Self::demo_with_outage(now, Self::DEMO_OUTAGE)
    }

    /// The demo world with an outage of this length.
    #[must_use]
    pub fn demo_with_outage(now: Timestamp, length: Duration) -> Self {
        let two_minutes = now.saturating_add(2.minutes()).unwrap_or(now).as_second();
        let stop = Timestamp::from_second(two_minutes - two_minutes.rem_euclid(60)).unwrap_or(now);
        let back = stop.saturating_add(length).unwrap_or(stop);
        let shops = Account::new("104112001", "Example Retail Group")
            .property(
                site(Self::DEMO_QUOTED, "Café \"Zoë\" \\ Shop", "Europe/Berlin", "EUR", 2_400.0)
                    .example_custom_fields(),
            )
            .property(site("313110002", "Shop US", "America/New_York", "USD", 9_000.0).premium())
            .property(site("313110003", "Shop Japan", "Asia/Tokyo", "JPY", 5_200.0))
            .property(
                site(Self::DEMO_STOPPING, "Checkout (stops and returns)", "Europe/London", "GBP", 3_600.0)
                    .outage(stop, back),
            );
        let media = Account::new("104112002", "Example Media")
            .property(site("313110005", "News India", "Asia/Kolkata", "INR", 14_000.0))
            .property(site(Self::DEMO_TINY, "Gardening blog", "Australia/Sydney", "AUD", 4.0));
        let lab = Account::new("104112003", "Example Lab")
            .property(site(Self::DEMO_SILENT, "Not launched yet", "America/Sao_Paulo", "BRL", 0.0))
            .property(
                site(Self::DEMO_FORBIDDEN, "Intranet (no access)", "Africa/Cairo", "EGP", 800.0).without_data_access(),
            );
        Self::new(DEMO_SEED).account(shops).account(media).account(lab)
    }

    /// The demo property whose name contains all characters that need escaping.
    pub const DEMO_QUOTED: &'static str = "313110001";

    /// The length of the outage of [`World::DEMO_STOPPING`].
    pub const DEMO_OUTAGE: Duration = Duration::from_hours(1);

    /// The demo property whose traffic stops two minutes after the start, for an hour.
    pub const DEMO_STOPPING: &'static str = "313110004";

    /// The demo property with a few pageviews per hour.
    pub const DEMO_TINY: &'static str = "313110006";

    /// The demo property without any traffic.
    pub const DEMO_SILENT: &'static str = "313110007";

    /// The demo property that is listed but may not be read.
    pub const DEMO_FORBIDDEN: &'static str = "313110008";
}

fn site(id: &str, name: &str, zone: &str, currency: &str, pageviews_per_hour: f64) -> Property {
    Property::new(id, name).time_zone(zone).currency(currency).pageviews_per_hour(pageviews_per_hour)
}

const DEMO_SEED: u64 = 2013;
