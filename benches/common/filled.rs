//! What the exporter knows of many properties after a while: values, quotas, windows, what is usual. Nothing has failed.

use std::{sync::Arc, time::Duration};

use ga4_drop_baseline::{
    Baseline, DayView, Expected, History, LocalHour, MinutesAgo, Watch,
    calendar::{QuietDays, Zone},
};
use ga4_exporter_core::{
    exposition::{self, Format, View},
    names::{Category, PropertyId},
    properties::{PropertyInfo, PropertySet},
    quota::{Ledger, QuotaView},
    report::Series,
    store::{Attempt, Snapshot, States, Store, Usual, Watched},
    wire::response::PropertyQuota,
};
use google_analytics_exporter::config::Config;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// The least number of properties with at least this many series, of reports received shortly before `now`.
pub(crate) fn view(series: usize, now: Timestamp) -> View {
    let one = series_of(&of_properties(1, now), now);
    let properties = u32::try_from(series.div_ceil(one)).expect("they are not that many");
    of_properties(properties, now)
}

/// How many series there are in the text.
pub(crate) fn series_of(view: &View, now: Timestamp) -> usize {
    let text = exposition::render(view, Format::Text, now).text;
    text.split(|byte| *byte == b'\n').filter(|line| line.first().is_some_and(|byte| *byte != b'#')).count()
}

fn of_properties(count: u32, now: Timestamp) -> View {
    let plan = Config::default().plan(PropertySet::default(), true);
    let mut states = States::default();
    let zone = Zone::named("Europe/Berlin").expect("it is in the database");
    let (watched, usual) = drop_alert(&zone, now);
    let usual = Arc::new(usual);
    for index in 0..count {
        let id: PropertyId = (500_000_000 + index).to_string().parse().expect("a number is an id");
        let info = PropertyInfo {
            name: format!("Site {index}"),
            account_id: "104112001".to_owned(),
            account_name: "Example".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            currency: "EUR".to_owned(),
            ..PropertyInfo::default()
        };
        states.put(id, &info, &plan.reports);
        states.update(id, |state| {
            for (report, number) in plan.reports.iter().zip(1_u32..) {
                let value = |family| f64::from((index * 7919 + family * 1_234 * number) % 100_000);
                let families = u32::try_from(report.families.len()).expect("they are few");
                let values = if report.is_history() { Series::default() } else { (0..families).map(value).collect() };
                let snapshot = Snapshot { report: Arc::clone(report), values, quality: None, expires_at: now + HOUR };
                let sent_at = now - SignedDuration::from_millis(i64::from(index % 60_000));
                let attempt = Attempt { sent_at, took: Duration::from_micros(u64::from(120_000 + index)) };
                state.report_mut(&report.name).expect("it was put there").succeed(attempt, 1, snapshot);
            }
            state.quota.extend(Category::ALL.iter().map(|category| (*category, quota(id, *category, index, now))));
            state.watched = Some(Arc::new(scaled(&watched, 0.5 + f64::from(index * 7919 % 1_000) / 1_000.0)));
            state.usual = Some(Arc::clone(&usual));
        });
    }
    let store = Store::default();
    store.apply(states.take_change());
    View { reports: plan.reports, properties: store.properties(), own: Vec::new() }
}

/// As after an answer that names every bucket.
fn quota(id: PropertyId, category: Category, index: u32, now: Timestamp) -> QuotaView {
    let spent = index * 7919 % 10_000;
    let told: PropertyQuota = serde_json::from_value(json!({
        "tokensPerDay": {"consumed": 1, "remaining": 199_000 - spent},
        "tokensPerHour": {"consumed": 1, "remaining": 39_000 - spent},
        "tokensPerProjectPerHour": {"consumed": 1, "remaining": 13_000 - spent},
        "concurrentRequests": {"remaining": 10},
        "serverErrorsPerProjectPerHour": {"remaining": 10},
        "potentiallyThresholdedRequestsPerHour": {"remaining": 120},
    }))
    .expect("it is a quota");
    let mut ledger = Ledger::default();
    ledger.on_success(id, category, Some(&told), now, now + HOUR);
    ledger.view(id, category).expect("an answer has told of it")
}

/// The same for other traffic: numbers of a property are nobody else's, which is what packing has to do with.
fn scaled(watched: &Watched, factor: f64) -> Watched {
    let mut watched = watched.clone();
    for count in &mut watched.assessment.windows {
        for value in [&mut count.pageviews, &mut count.expected, &mut count.low] {
            *value *= factor;
        }
    }
    watched
}

/// What the drop alert knows of steady traffic that it has seen for a day.
fn drop_alert(zone: &Zone, now: Timestamp) -> (Watched, Usual) {
    let quiet_days = QuietDays::default();
    let settled = LocalHour::midnight(zone.date(now));
    let history: History = (1..=56 * 24).map(|ago| (settled.later(-ago), 600.0)).collect();
    let baseline = Baseline::fit(&history, settled, 8).expect("eight weeks are enough");
    let mut watch = Watch::default();
    let minutes: MinutesAgo = [10; 30];
    for ago in (0..75).rev() {
        let at = now - SignedDuration::from_mins(25 * ago);
        watch.take(&minutes, at, at);
        watch.assess(Expected { baseline: &baseline, zone, quiet_days: &quiet_days });
    }
    let assessment = watch.assess(Expected { baseline: &baseline, zone, quiet_days: &quiet_days });
    let day = DayView::new(Some(&baseline), zone, &quiet_days, now);
    let expires_at = now + HOUR;
    (Watched { assessment, expires_at }, Usual { history_seconds: 4_838_400.0, level: Some(1.0), expires_at, day })
}

const HOUR: SignedDuration = SignedDuration::from_hours(1);
