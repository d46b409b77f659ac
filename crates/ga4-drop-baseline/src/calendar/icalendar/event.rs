//! An event, and the days that it covers.

use std::{
    cmp::{max, min},
    collections::BTreeSet,
};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::{
    Mistake, Mistakes,
    budget::Budget,
    component::Component,
    frame::{self, Frame, Moment, Value},
    property::Property,
    rule::Rule,
    zone::Zones,
};
use crate::calendar::quiet_days::{Days, MOST_IN_A_ROW};

/// The parts of an event that affect days.
#[derive(Debug)]
pub(super) struct Event {
    line: usize,
    pub(super) uid: Option<String>,
    /// The occurrence that this event replaces in the events with the same uid.
    pub(super) instead_of: Option<Replacement>,
    /// `None` if the event is cancelled or not selected.
    occurrences: Option<Occurrences>,
}

/// The occurrence that an event replaces.
#[derive(Debug)]
pub(super) struct Replacement {
    /// Its date, for all-day events.
    date: Date,
    /// Its start, for timed events.
    moment: Moment,
    /// Whether the event also replaces all later occurrences.
    is_for_later: bool,
}

/// The events that replace some occurrences of other events with the same uid.
#[derive(Debug, Default)]
pub(super) struct Replacements<'e> {
    /// The replaced dates of all-day events.
    whole: BTreeSet<Date>,
    /// The replaced dates of timed events.
    dates: BTreeSet<Date>,
    instants: BTreeSet<Timestamp>,
    /// Events that replace all occurrences from a date on, in ascending order.
    later: Vec<(Date, &'e Event)>,
}

/// The occurrences of an event, in its own local time.
#[derive(Debug)]
struct Occurrences {
    start: DateTime,
    length: SignedDuration,
    /// The time zone of the event.
    zone: Option<TimeZone>,
    rules: Vec<Rule>,
    added: Vec<(DateTime, SignedDuration)>,
    left_out: BTreeSet<Date>,
}

/// The context that all events of a calendar share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'c> {
    /// The time zone of the calendar, if it names one.
    pub(super) calendar: Option<&'c TimeZone>,
    pub(super) zones: &'c Zones,
}

impl Event {
    /// Reads an event. If it is not selected, reads only the parts that affect other events.
    pub(super) fn new(
        component: &Component,
        is_chosen: bool,
        context: Context<'_>,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Mistake> {
        let properties = Properties(&component.properties);
        let instead_of = properties.single("RECURRENCE-ID")?.map(|property| Replacement::new(property, context));
        let instead_of = instead_of.transpose()?;
        let uid = properties.first("UID").map(|property| property.value.clone());
        let status = properties.first("STATUS");
        let is_cancelled = status.is_some_and(|property| property.value.trim().eq_ignore_ascii_case("CANCELLED"));
        let occurrences = if is_cancelled || !is_chosen {
            None
        } else {
            let mut occurrences = Occurrences::new(component.line, &properties, context, mistakes)?;
            if instead_of.is_some() {
                // The event replaces one occurrence, so rules that some programs repeat from the recurring event are ignored.
                occurrences.rules.clear();
                occurrences.added.clear();
            }
            Some(occurrences)
        };
        Ok(Self { line: component.line, uid, instead_of, occurrences })
    }

    /// Returns the days of all occurrences that are not replaced by other events.
    pub(super) fn days(&self, replaced: &Replacements<'_>, budget: &mut Budget) -> Result<Vec<Days>, Mistake> {
        let Some(event) = &self.occurrences else { return Ok(Vec::new()) };
        let mut dates = BTreeSet::new();
        for rule in &event.rules {
            dates.extend(budget.spend(|budget| rule.dates(event.start, budget)).map_err(|_| {
                Mistake::new(
                    self.line,
                    "the calendars come to too many days with this event; end it with `UNTIL`, or remove events that \
                     mean no quiet days",
                )
            })?);
        }
        if event.rules.is_empty() {
            dates.insert(event.start.date());
        }
        let recurring = dates.into_iter().map(|date| (date.to_datetime(event.start.time()), event.length));
        let all = recurring.chain(event.added.iter().copied());
        let kept = all.filter(|(start, _)| {
            !event.left_out.contains(&start.date()) && !replaced.has(start.date(), event.zone.as_ref())
        });
        let moved = kept.filter_map(|(start, length)| replaced.moved(start, length));
        Ok(moved.filter_map(|(start, length)| covered(start, length)).collect())
    }
}

impl Replacement {
    fn new(property: &Property, Context { calendar, zones }: Context<'_>) -> Result<Self, Mistake> {
        let wrong = |wrong| property.mistake(wrong);
        let whole = Frame::of_days(calendar.cloned(), zones).shown(property, &property.value).map_err(wrong)?;
        let range = property.parameter("RANGE");
        Ok(Self {
            date: whole.date(),
            moment: Frame::moment(property, zones).map_err(wrong)?,
            is_for_later: range.is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE")),
        })
    }
}

impl<'e> Replacements<'e> {
    /// Adds the occurrence that this event replaces.
    pub(super) fn add(&mut self, replacement: &'e Replacement, event: &'e Event) {
        self.whole.insert(replacement.date);
        match replacement.moment {
            Moment::Date(date) => self.dates.insert(date),
            Moment::Instant(instant) => self.instants.insert(instant),
        };
        if replacement.is_for_later {
            let index = self.later.partition_point(|(date, _)| *date <= replacement.date);
            self.later.insert(index, (replacement.date, event));
        }
    }

    /// Returns whether another event replaces the occurrence on this date, in a time zone or without one.
    fn has(&self, date: Date, zone: Option<&TimeZone>) -> bool {
        let Some(zone) = zone else { return self.whole.contains(&date) };
        let midnight = |date: Date| Some(date.to_zoned(zone.clone()).ok()?.timestamp());
        let within = || {
            let (start, end) = (midnight(date)?, midnight(date.tomorrow().ok()?)?);
            self.instants.range(start..end).next()
        };
        self.dates.contains(&date) || (!self.instants.is_empty() && within().is_some())
    }

    /// Returns the start and length of an occurrence after events that move all later ones; `None` if those events
    /// are cancelled.
    fn moved(&self, start: DateTime, length: SignedDuration) -> Option<(DateTime, SignedDuration)> {
        let earlier = self.later.partition_point(|(date, _)| *date <= start.date());
        let Some((date, event)) = earlier.checked_sub(1).and_then(|index| self.later.get(index)) else {
            return Some((start, length));
        };
        let event = event.occurrences.as_ref()?;
        let moved = start.date().checked_add(event.start.date().since(*date).ok()?).ok()?;
        Some((moved.to_datetime(event.start.time()), event.length))
    }
}

impl Occurrences {
    fn new(
        line: usize,
        properties: &Properties<'_>,
        context: Context<'_>,
        mistakes: &mut Mistakes,
    ) -> Result<Self, Mistake> {
        let no_start = || {
            Mistake::new(line, "this event has no `DTSTART`; add its first day, such as `DTSTART;VALUE=DATE:20261225`")
        };
        let property = properties.single("DTSTART")?.ok_or_else(no_start)?;
        let is_said = |name: &&str| {
            properties
                .first(name)
                .is_some_and(|property| ["TRUE", "1"].contains(&&*property.value.to_ascii_uppercase()))
        };
        let is_rounded = WHOLE_DAYS.iter().any(is_said);
        let (frame, start) = Frame::new(property, context.calendar.cloned(), context.zones, is_rounded)
            .map_err(|wrong| property.mistake(wrong))?;
        if let Some(property) = properties.first("EXRULE") {
            return Err(property.mistake("such rules are out of use; write the dates that are left out as `EXDATE`"));
        }
        let length = length(line, properties, &frame, start)?;
        let rule = |property: &Property| {
            let until = |text: &str| frame.shown_until(property, text);
            Rule::new(&property.value, start, frame.is_all_day(), until).map_err(|wrong| property.mistake(wrong))
        };
        let rules = properties.named("RRULE").map(rule).collect::<Result<_, _>>()?;
        let added = properties.read("RDATE", mistakes, |property, text| match text.split_once('/') {
            Some((start, end)) => period(&frame, property, start, end),
            None => Ok((frame.shown(property, text)?, length)),
        });
        let left_out = properties.read("EXDATE", mistakes, |property, text| frame.shown(property, text));
        let left_out = left_out.into_iter().map(DateTime::date).collect();
        Ok(Self { start, length, zone: frame.zone().cloned(), rules, added, left_out })
    }
}

/// The properties of an event; those without a value are ignored.
struct Properties<'p>(&'p [Property]);

impl<'p> Properties<'p> {
    fn named(&self, name: &str) -> impl Iterator<Item = &'p Property> {
        self.0.iter().filter(move |property| property.name == name && !property.value.is_empty())
    }

    /// Returns the first property with this name, if there is one.
    fn first(&self, name: &str) -> Option<&'p Property> {
        self.named(name).next()
    }

    /// Returns the only property with this name, if there is one. Repetitions with the same value are allowed.
    fn single(&self, name: &str) -> Result<Option<&'p Property>, Mistake> {
        let Some(first) = self.first(name) else { return Ok(None) };
        match self.named(name).find(|other| other.value != first.value) {
            Some(other) => Err(other.mistake("this stands twice in one event; keep one of them")),
            None => Ok(Some(first)),
        }
    }

    /// Reads the values of all properties with this name; reports those that cannot be read as mistakes.
    fn read<T>(
        &self,
        name: &str,
        mistakes: &mut Mistakes,
        read: impl Fn(&Property, &str) -> Result<T, String>,
    ) -> Vec<T> {
        let values =
            self.named(name).flat_map(|property| property.value.split(',').map(move |text| (property, text.trim())));
        let mut found = Vec::new();
        for (property, text) in values.filter(|(_, text)| !text.is_empty()) {
            match read(property, text) {
                Ok(value) => found.push(value),
                Err(wrong) => mistakes.push(property.mistake(wrong)),
            }
        }
        found
    }
}

/// Returns the start and the length of a period, whose end is a time or a length.
fn period(
    frame: &Frame<'_>,
    property: &Property,
    start: &str,
    end: &str,
) -> Result<(DateTime, SignedDuration), String> {
    let start = frame.shown(property, start)?;
    let length = if end.starts_with(['P', 'p', '+', '-']) {
        frame::duration(end)?
    } else {
        frame.shown(property, end)?.duration_since(start)
    };
    Ok((start, length))
}

/// Returns the length of an event. Its end takes precedence over its duration. Without both, it is a day for all-day
/// events and zero for timed ones.
fn length(
    line: usize,
    properties: &Properties<'_>,
    frame: &Frame<'_>,
    start: DateTime,
) -> Result<SignedDuration, Mistake> {
    let (length, property) = match (properties.single("DTEND")?, properties.first("DURATION")) {
        (Some(property), _) => {
            let end = frame.shown(property, &property.value).map_err(|wrong| property.mistake(wrong))?;
            let is_date = matches!(property.value.parse(), Ok(Value::Date(_)));
            // From midnight of a day to the same day: the whole day.
            let is_its_day = is_date && end == start && start.time() == Time::midnight();
            (if is_its_day { DAY } else { end.duration_since(start) }, property)
        }
        (None, Some(property)) => {
            (frame::duration(&property.value).map_err(|wrong| property.mistake(wrong))?, property)
        }
        (None, None) => return Ok(if frame.is_all_day() { DAY } else { SignedDuration::ZERO }),
    };
    if length.is_negative() {
        return Err(property.mistake("the event ends before it begins; write the earlier time as `DTSTART`"));
    }
    let length = if frame.is_all_day() { whole_days(length) } else { length };
    if length > DAY * MOST_IN_A_ROW {
        let days = length.as_secs() / DAY.as_secs();
        let wrong =
            format!("this event is {days} days long, and quiet are {MOST_IN_A_ROW} days at most; remove or shorten it");
        return Err(Mistake::new(line, wrong));
    }
    Ok(length)
}

/// Returns the length in whole days of an event that starts with a whole day and may end at a time: at least one day,
/// and the last one only if most of it is covered.
fn whole_days(length: SignedDuration) -> SignedDuration {
    let (days, rest) = (length.as_secs() / DAY.as_secs(), length.as_secs() % DAY.as_secs());
    let days = days + i64::from(rest >= MOST_OF_A_DAY.as_secs());
    SignedDuration::from_hours(24 * days.max(1))
}

/// Returns the days of which an occurrence covers most. Only its first and last day can be covered partly.
fn covered(start: DateTime, length: SignedDuration) -> Option<Days> {
    let end = start.checked_add(length).ok()?;
    let is_covered = |date: &Date| {
        let midnight = date.to_datetime(Time::midnight());
        min(end, midnight.saturating_add(DAY)).duration_since(max(start, midnight)) >= MOST_OF_A_DAY
    };
    let first = [Some(start.date()), start.date().tomorrow().ok()].into_iter().flatten().find(is_covered)?;
    let last = [Some(end.date()), end.date().yesterday().ok()].into_iter().flatten().find(is_covered)?;
    Some(Days { first, last })
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// People who are away for less time still visit on that day.
const MOST_OF_A_DAY: SignedDuration = SignedDuration::from_hours(20);

/// Properties by which Outlook and phone synchronization mark a timed event as an all-day event.
const WHOLE_DAYS: [&str; 2] = ["X-MICROSOFT-CDO-ALLDAYEVENT", "X-FUNAMBOL-ALLDAY"];
