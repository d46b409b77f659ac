//! `backtest`: shows what the drop alert would have done in the past.

use std::{
    io::{self, Write},
    ops::RangeInclusive,
    path::Path,
};

use jiff::{ToSpan, civil::Date};

use super::{
    CommandError,
    baseline::{history, in_file, text},
    google::{Google, Surroundings},
    print,
};

use ga4_drop_baseline::{
    History,
    backtest::{Outcome, Replay, Traffic, summary::Summary},
    calendar::{
        QuietDays, Zone,
        icalendar::{Budget, Selection},
        quiet_days::Entry,
    },
};

use ga4_exporter_core::{
    csv,
    names::PropertyId,
    report::{Report, Request},
    translate,
    wire::response::ReportResponse,
};

use crate::{
    cli::{BacktestFlags, QuietDay},
    config::{Config, calendar_file},
    files::{Aside, READ_DEADLINE},
};

/// Replays the past, prints the result, and draws it.
///
/// # Errors
/// The past cannot be read or queried, or is too short for a replay.
pub async fn run(flags: &BacktestFlags, surroundings: &Surroundings, out: &mut impl Write) -> Result<(), CommandError> {
    check_dates(flags, Zone::utc().date(surroundings.now()))?;
    let past = Past::new(flags, surroundings).await?;
    let quiet_days = quiet_days(flags.quiet_days.clone()).await?;
    let replay = Replay { history: &past.history, traffic: &past.traffic, quiet_days: &quiet_days };
    let dates = dates(&replay, flags)?;
    let outcome = with_progress(&replay, dates.clone());
    #[cfg(feature = "picture")]
    if let Some(path) = &flags.svg {
        draw(path, &outcome, dates.clone())?;
    }
    let summary = Summary { outcome: &outcome, dates, is_spread: past.is_spread };
    print(summary.text().as_bytes(), out)
}

/// The history and the realtime counts to replay.
struct Past {
    history: History,
    traffic: Traffic,
    is_spread: bool,
}

impl Past {
    async fn new(flags: &BacktestFlags, surroundings: &Surroundings) -> Result<Self, CommandError> {
        if let Some(property) = flags.property {
            let (history, zone) = ask(flags, property, surroundings).await?;
            let traffic = Traffic::spread(&without_gaps(&history, &zone));
            return Ok(Self { history, traffic, is_spread: true });
        }
        let history = flags.history.as_deref().map(history).transpose()?.unwrap_or_default();
        let traffic = flags.realtime.as_deref().map(minutes).transpose()?;
        let is_spread = traffic.is_none();
        Ok(Self { traffic: traffic.unwrap_or_else(|| Traffic::spread(&history)), history, is_spread })
    }
}

/// Reads quiet days on a separate thread, because calendars may be on a hanging disk.
async fn quiet_days(days: Vec<QuietDay>) -> Result<QuietDays, CommandError> {
    let aside = Aside::start("calendars");
    let read = aside.run(READ_DEADLINE, move || {
        let mut budget = Budget::default();
        days.iter().map(|day| entry(day, &mut budget)).collect()
    });
    let entries: Result<Vec<Entry>, CommandError> =
        read.await.unwrap_or_else(|hangs| Err(CommandError::Past(format!("cannot read the calendars: {hangs}"))));
    entries.map(QuietDays::new)
}

fn entry(day: &QuietDay, budget: &mut Budget) -> Result<Entry, CommandError> {
    match day {
        QuietDay::Days(days) => Ok(days.clone()),
        QuietDay::Calendar(path) => {
            let text = path.to_string_lossy();
            let found = calendar_file::read(path, &text, "the working directory", &Selection::default(), budget);
            let found = found.map_err(CommandError::Usage)?;
            // The file may be a web page, for example. A replay without its days would answer another question.
            if matches!(&found.entry, Entry::Calendar { days, .. } if days.is_empty()) && !found.warnings.is_empty() {
                return Err(CommandError::Usage(found.warnings.join("\n")));
            }
            for warning in found.warnings {
                // If stderr is closed, nobody reads the warning.
                let _ = writeln!(io::stderr(), "warning: {warning}");
            }
            Ok(found.entry)
        }
    }
}

fn minutes(path: &Path) -> Result<Traffic, CommandError> {
    csv::minutes(&text(path)?).map_err(|error| in_file(path, &error))
}

/// Asks Google for the hourly pageviews of the last settled weeks, and for the time zone.
async fn ask(
    flags: &BacktestFlags,
    property: PropertyId,
    surroundings: &Surroundings,
) -> Result<(History, Zone), CommandError> {
    let mut settings = Config::default().baseline;
    settings.weeks = usize::from(flags.weeks);
    let Request::Core(request) = Report::baseline(&settings).request(None) else {
        return Err(CommandError::Google("the history is no report on processed data".to_owned()));
    };
    let google = Google::reach(&flags.access, flags.access.credentials_file.as_deref(), surroundings).await?;
    let accept = |response: ReportResponse| {
        let history = translate::history(&response)?;
        Ok::<_, translate::TranslateError>((history, response.metadata.time_zone))
    };
    let answer = google.client.run_report(property, &request, accept).await;
    let (mut history, zone) = answer.map_err(|error| google.failure(&error, property))?;
    // Google reports no time zone if it has no data.
    if history.is_empty() {
        return Err(CommandError::Past(TOO_LITTLE.to_owned()));
    }
    let zone = Zone::named(&zone).map_err(|error| CommandError::Google(error.to_string()))?;
    history.retain(|hour| !zone.is_irregular(hour.start()));
    Ok((history, zone))
}

/// Fills missing hours with 0: Google has no rows for hours without traffic, but realtime would have counted 0.
fn without_gaps(history: &History, zone: &Zone) -> History {
    let Some((first, last)) = history.first().zip(history.last()) else { return History::default() };
    let hours = (0..=first.until(last)).map(|hours| first.later(hours));
    let regular = hours.filter(|hour| !zone.is_irregular(hour.start()));
    regular.map(|hour| (hour, history.get(hour).unwrap_or_default())).collect()
}

/// Checks the dates for mistakes. Tomorrow is allowed, because some time zones are a day ahead of UTC.
fn check_dates(flags: &BacktestFlags, today: Date) -> Result<(), CommandError> {
    for (flag, date) in [("--from", flags.from), ("--to", flags.to)] {
        if let Some(date) = date.filter(|date| today.tomorrow().is_ok_and(|tomorrow| *date > tomorrow)) {
            return Err(CommandError::Usage(format!(
                "{flag} {date} lies in the future, since today is {today}; check the year"
            )));
        }
    }
    match (flags.from, flags.to) {
        (Some(from), Some(to)) if from > to => {
            Err(CommandError::Usage(format!("--from {from} is later than --to {to}; exchange them, or check the year")))
        }
        _ => Ok(()),
    }
}

/// Returns the requested dates, limited to those that can be replayed.
fn dates(replay: &Replay<'_>, flags: &BacktestFlags) -> Result<RangeInclusive<Date>, CommandError> {
    let all = replay.dates().ok_or_else(|| CommandError::Past(TOO_LITTLE.to_owned()))?;
    let (first, last) = (*all.start(), *all.end());
    if first.saturating_add(MOST_YEARS.years()) < last {
        return Err(CommandError::Usage(format!(
            "the history covers {first} to {last}; check the years of its first and last lines"
        )));
    }
    let from = flags.from.map_or(first, |date| date.max(first));
    let to = flags.to.map_or(last, |date| date.min(last));
    if from > to {
        return Err(CommandError::Past(format!(
            "none of these days can be replayed; choose days from {first} to {last}"
        )));
    }
    Ok(from..=to)
}

/// Shows a progress bar if stderr is a terminal.
#[cfg(feature = "progress-bar")]
fn with_progress(replay: &Replay<'_>, dates: RangeInclusive<Date>) -> Outcome {
    use indicatif::{ProgressBar, ProgressStyle};

    let bar = ProgressBar::new(0).with_message("replaying");
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} days, {eta} left");
    bar.set_style(style.expect("it names nothing but what there is: see the tests"));
    let outcome = replay.run(dates, |done, all| {
        bar.set_length(u64::try_from(all).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    });
    bar.finish_and_clear();
    outcome
}

#[cfg(not(feature = "progress-bar"))]
fn with_progress(replay: &Replay<'_>, dates: RangeInclusive<Date>) -> Outcome {
    replay.run(dates, |_, _| {})
}

#[cfg(feature = "picture")]
fn draw(path: &Path, outcome: &Outcome, dates: RangeInclusive<Date>) -> Result<(), CommandError> {
    let failed = |error: &dyn std::fmt::Display| {
        CommandError::Usage(format!("{} cannot be written: {error}", ga4_exporter_core::shown::ShownPath(path)))
    };
    let picture = crate::picture::svg(&outcome.points, &outcome.pages, dates).map_err(|error| failed(&error))?;
    std::fs::write(path, picture).map_err(|error| failed(&error))
}

/// Longest past that can be replayed; a year takes a second.
const MOST_YEARS: i32 = 10;

const TOO_LITTLE: &str =
    "nothing can be replayed: a day needs two weeks with traffic before it, which end a day earlier";
