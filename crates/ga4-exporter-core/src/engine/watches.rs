//! The monitored properties: their minutes and baselines, and the store's view of them.

use std::{collections::HashMap, sync::Arc};

use ga4_drop_baseline::{
    Baseline, DayView, Expected, History, LocalHour, MinutesAgo, NoBaseline, Watch,
    calendar::{QuietDays, Zone},
};
use jiff::{SignedDuration, Timestamp, civil::Date};

use super::Event;
use crate::{
    names::PropertyId,
    report::{Brings, Report},
    store::{Usual, Watched},
    time::later,
};

/// All monitored properties.
#[derive(Debug, Default)]
pub(super) struct Watches(HashMap<PropertyId, Property>);

#[derive(Debug, Default)]
struct Property {
    watch: Watch,
    /// When the last answer by minute expires.
    minutes_hold_until: Option<Timestamp>,
    fit: Option<Fit>,
    /// The view of the fit, as of one day.
    shown: Option<Shown>,
}

/// The outcome of a history report.
#[derive(Debug)]
struct Fit {
    baseline: Result<Baseline, NoBaseline>,
    expires_at: Timestamp,
}

/// The store's view of a baseline, and what it was computed for. It is the same all day, and takes longer to compute than all
/// other consequences of an answer.
#[derive(Debug)]
struct Shown {
    usual: Arc<Usual>,
    date: Date,
    zone: Zone,
    quiet_days: QuietDays,
}

/// An answer by minute.
pub(super) struct RecentMinutes<'a> {
    pub(super) minutes: &'a MinutesAgo,
    pub(super) sent_at: Timestamp,
    pub(super) received_at: Timestamp,
    /// When the results expire.
    pub(super) expires_at: Timestamp,
}

impl Watches {
    /// Adds an answer by minute. Returns the assessment if there is a baseline.
    pub(super) fn on_minutes(
        &mut self,
        property: PropertyId,
        answer: &RecentMinutes<'_>,
        zone: Option<&Zone>,
        quiet_days: &QuietDays,
    ) -> Option<Arc<Watched>> {
        let known = self.0.entry(property).or_default();
        known.watch.take(answer.minutes, answer.sent_at, answer.received_at);
        known.minutes_hold_until = Some(answer.expires_at);
        self.assess_again(property, zone?, quiet_days, answer.sent_at)
    }

    /// Compares the known minutes with the baseline, if there are both.
    pub(super) fn assess_again(
        &mut self,
        property: PropertyId,
        zone: &Zone,
        quiet_days: &QuietDays,
        now: Timestamp,
    ) -> Option<Arc<Watched>> {
        let known = self.0.get_mut(&property)?;
        let expires_at = known.minutes_hold_until.filter(|until| *until > now)?;
        let fit = known.fit.as_ref().filter(|fit| fit.expires_at > now)?;
        let expected = Expected { baseline: fit.baseline.as_ref().ok()?, zone, quiet_days };
        Some(Arc::new(Watched { assessment: known.watch.assess(expected), expires_at }))
    }

    /// Fits a baseline to the hours of a history report. Returns what to log.
    pub(super) fn on_history(
        &mut self,
        property: PropertyId,
        report: &Report,
        history: &History,
        zone: &Zone,
        sent_at: Timestamp,
    ) -> Option<Event> {
        let Brings::History { weeks, quiet_days } = &report.brings else { return None };
        let settled = LocalHour::settled(zone.date(sent_at));
        let is_usual = |hour: LocalHour| !zone.is_irregular(hour.start()) && !quiet_days.is_quiet(hour.date());
        let baseline = Baseline::fit_usual(history, settled, *weeks, is_usual);
        let Property { fit: known, shown, .. } = self.0.entry(property).or_default();
        // The weeks had traffic yesterday, so they still have it today: the old baseline holds until it expires.
        if history.is_empty() && known.as_ref().is_some_and(|fit| fit.baseline.is_ok() && fit.expires_at > sent_at) {
            return Some(Event::HistoryGone { property });
        }
        let had_none = known.as_ref().is_some_and(|fit| fit.baseline.is_err());
        let event = match &baseline {
            Err(none) if !had_none => Some(Event::NoBaseline { property, problem: none.to_string() }),
            Ok(_) if had_none => Some(Event::Baseline { property }),
            Err(_) | Ok(_) => None,
        };
        *known = Some(Fit { baseline, expires_at: later(sent_at, report.stale_after.for_interval(report.interval)) });
        *shown = None;
        event
    }

    /// The store's view of a property's baseline now.
    pub(super) fn usual(
        &mut self,
        property: PropertyId,
        zone: Option<&Zone>,
        quiet_days: &QuietDays,
        now: Timestamp,
    ) -> Option<Arc<Usual>> {
        let known = self.0.get_mut(&property)?;
        let fit = known.fit.as_ref()?;
        let Some(zone) = zone else { return Some(Arc::new(fit.usual(None))) };
        let date = zone.date(now);
        if let Some(shown) = known.shown.as_ref().filter(|shown| shown.is_for(date, zone, quiet_days)) {
            return Some(Arc::clone(&shown.usual));
        }
        let usual = Arc::new(fit.usual(DayView::new(fit.baseline.as_ref().ok(), zone, quiet_days, now)));
        let (zone, quiet_days) = (zone.clone(), quiet_days.clone());
        known.shown = Some(Shown { usual: Arc::clone(&usual), date, zone, quiet_days });
        Some(usual)
    }

    /// The minutes of a property as they are saved.
    pub(super) fn watch(&self, property: PropertyId) -> Watch {
        self.0.get(&property).map(|known| known.watch.clone()).unwrap_or_default()
    }

    /// Restores saved minutes. Whether the clock is right is not known yet.
    pub(super) fn restore(&mut self, property: PropertyId, watch: Watch) {
        self.0.entry(property).or_default().watch = watch;
    }

    /// The property's time zone changed: the baseline of the old days no longer applies.
    pub(super) fn on_zone_changed(&mut self, property: PropertyId) {
        if let Some(known) = self.0.get_mut(&property) {
            (known.fit, known.shown) = (None, None);
        }
    }

    /// The clock was set back: moves expiries with it, so that nothing holds too long.
    pub(super) fn on_clock_set_back(&mut self, by: SignedDuration) {
        let back = |at: &mut Timestamp| *at = at.saturating_sub(by).unwrap_or(*at);
        for property in self.0.values_mut() {
            property.minutes_hold_until.iter_mut().for_each(back);
            property.fit.iter_mut().for_each(|fit| back(&mut fit.expires_at));
            property.shown = None;
        }
    }

    /// Forgets a property.
    pub(super) fn remove(&mut self, property: PropertyId) {
        self.0.remove(&property);
    }
}

impl Fit {
    fn usual(&self, day: Option<DayView>) -> Usual {
        let baseline = self.baseline.as_ref();
        Usual {
            history_seconds: baseline.map_or_else(|none| none.history_seconds, |known| known.history_seconds),
            level: baseline.ok().map(|baseline| baseline.level),
            expires_at: self.expires_at,
            day,
        }
    }
}

impl Shown {
    fn is_for(&self, date: Date, zone: &Zone, quiet_days: &QuietDays) -> bool {
        self.date == date && self.zone == *zone && self.quiet_days == *quiet_days
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::BaselineSettings;

    #[test]
    fn a_history_without_hours_takes_nothing_away() {
        let (id, zone) = ("1".parse().unwrap(), Zone::named("Europe/Berlin").unwrap());
        let report = Report::baseline(&BaselineSettings::default());
        let sent_at: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let after = |hours| sent_at + SignedDuration::from_hours(hours);
        let settled = LocalHour::settled(zone.date(sent_at));
        let whole: History = (1..=8 * 168).map(|ago| (settled.later(-ago), 100.0)).collect();
        let mut watches = Watches::default();
        let seconds =
            |watches: &mut Watches| watches.usual(id, None, &QuietDays::default(), sent_at).unwrap().history_seconds;
        watches.on_history(id, &report, &History::default(), &zone, sent_at);
        assert!(seconds(&mut watches) < 1.0);
        watches.on_history(id, &report, &whole, &zone, sent_at);
        let known = seconds(&mut watches);
        assert!(known > 0.0);
        watches.on_history(id, &report, &History::default(), &zone, after(24));
        assert!((seconds(&mut watches) - known).abs() < 1.0, "it stays");
        watches.on_history(id, &report, &History::default(), &zone, after(24 * 30));
        assert!(seconds(&mut watches) < 1.0, "until it is too old");
    }

    #[test]
    fn the_view_of_a_day_is_computed_once_and_anew_for_whatever_changes_it() {
        let id = "1".parse().unwrap();
        let [berlin, london] = ["Europe/Berlin", "Europe/London"].map(|name| Zone::named(name).unwrap());
        let report = Report::baseline(&BaselineSettings::default());
        let sent_at: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
        let after = |hours| sent_at + SignedDuration::from_hours(hours);
        let history = |level: f64| -> History {
            let settled = LocalHour::settled(berlin.date(sent_at));
            (1..=8 * 168).map(|ago| (settled.later(-ago), level)).collect()
        };
        let usual_days = QuietDays::default();
        let quiet_days = QuietDays::new(vec!["2026-11-23".parse().unwrap()]);
        let mut watches = Watches::default();
        watches.on_history(id, &report, &history(100.0), &berlin, sent_at);
        let first = watches.usual(id, Some(&berlin), &usual_days, sent_at).unwrap();
        // Each differs from the one before in one thing.
        for (zone, days, at) in [
            (&berlin, &usual_days, after(14)),
            (&berlin, &usual_days, sent_at),
            (&london, &usual_days, sent_at),
            (&berlin, &quiet_days, sent_at),
        ] {
            let usual = watches.usual(id, Some(zone), days, at).unwrap();
            let fit = watches.0[&id].fit.as_ref().unwrap();
            let anew = fit.usual(DayView::new(fit.baseline.as_ref().ok(), zone, days, at));
            assert_eq!(*usual, anew, "{} at {at}", zone.name());
            assert!(Arc::ptr_eq(&usual, &watches.usual(id, Some(zone), days, at).unwrap()));
        }
        watches.on_history(id, &report, &history(200.0), &berlin, sent_at);
        let later = watches.usual(id, Some(&berlin), &usual_days, sent_at).unwrap();
        let expected = |usual: &Usual| usual.day.unwrap().yesterday.unwrap().expected;
        assert!(expected(&later) > 1.5 * expected(&first));
        watches.on_clock_set_back(SignedDuration::from_hours(2));
        let moved = watches.usual(id, Some(&berlin), &usual_days, sent_at).unwrap();
        assert_eq!(moved.expires_at, later.expires_at - SignedDuration::from_hours(2));
    }
}
