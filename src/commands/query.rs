//! `query`: sends one query to Google and prints the answer.
//!
//! Properties that fail do not keep the others from being printed.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind, Write},
    sync::Arc,
};

use jiff::{Timestamp, tz::Offset};

use super::{
    CommandError,
    google::{Google, Surroundings, Target},
    in_order::in_order,
    screen::Screen,
    setup::Setup,
};
use crate::{cli::QueryFlags, config::Config};
use ga4_exporter_core::{
    chain::one_line,
    clock_offset::ClockOffset,
    query::{AskError, Query},
    report::preset::PRESETS,
    shown::Shown,
    wire,
};

use ask::{Failure, Outcome, Question};
use print::Printer;
use progress::Progress;

mod ask;
mod print;
mod progress;

/// The outputs of a command.
pub struct Streams<'a> {
    /// Receives the answer.
    pub out: &'a mut (dyn Write + Send),
    /// Receives notes about the answer.
    pub notes: &'a mut (dyn Write + Send),
    /// The terminal or file behind `out`.
    pub screen: Screen,
}

/// Sends the query and prints the answers.
///
/// # Errors
/// The query is invalid, or a property failed; the answers of the other properties are still printed.
pub async fn run(
    flags: &QueryFlags,
    surroundings: &Surroundings,
    mut streams: Streams<'_>,
) -> Result<(), CommandError> {
    let setup = Setup::load(&flags.setup).await?;
    setup.warn(surroundings.now(), streams.notes);
    // The flags are validated before the first request to Google.
    let config = &setup.loaded.config;
    let query = query(flags, config)?;
    check_dates(&query, surroundings.now())?;
    let google = Google::reach(&setup.access, setup.credentials_file.as_deref(), surroundings).await?;
    let properties = google.properties(config, &flags.property, surroundings.now()).await?;
    let question = Arc::new(Question {
        query,
        share: config.commands_share,
        clock: surroundings.clock.clone(),
        progress: Progress::new(),
    });
    let mut printer = Printer::new(flags.output, streams.screen, question.query.report(), properties.len());
    let asked = print_all(&google, properties, &question, &mut printer, &mut streams).await;
    question.progress.end();
    if let Some(note) = doubt_of_clock(&google.witness.offset()) {
        // If stderr is closed, nobody reads the note.
        let _ = writeln!(streams.notes, "note: {note}");
    }
    match asked {
        // If the pipe is closed, its reader has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CommandError::Output(error)),
        Ok(failures) => verdict(failures, printer.asked()),
    }
}

/// Builds the query from the flags.
fn query(flags: &QueryFlags, config: &Config) -> Result<Query, CommandError> {
    // The message quotes the arguments, whose control characters must not reach the terminal.
    let usage = |error: AskError| CommandError::Usage(one_line(&error.to_string(), MESSAGE_CHARACTERS));
    let Some(name) = &flags.report else { return flags.asked().query().map_err(usage) };
    let Some(report) = config.report_named(name) else {
        let reports = config.reports();
        let own = reports.iter().filter(|report| !report.is_history()).map(|report| report.name.as_str());
        let known: BTreeSet<&str> = own.chain(PRESETS.iter().map(|preset| preset.name)).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(CommandError::Usage(format!(
            "--report {}: there is no such report; use one of {known}",
            Shown(name)
        )));
    };
    if report.is_history() {
        return Err(CommandError::Usage(format!(
            "--report {name} is for the drop alert; ask for --dimensions dateHour instead"
        )));
    }
    flags.asked().of_report(&report).map_err(usage)
}

/// Refuses dates that are wrong wherever on Earth the property is: a range that ends before it begins, or days before all data.
fn check_dates(query: &Query, now: Timestamp) -> Result<(), CommandError> {
    let date = |hours| Offset::constant(hours).to_datetime(now).date();
    let [first, last] = [EARLIEST_HOURS, LATEST_HOURS].map(|hours| query.dates(date(hours)));
    match (first, last) {
        (Err(_), Err(error)) => Err(CommandError::Usage(error.to_string())),
        _ => Ok(()),
    }
}

/// Queries every property and returns the failures. Fails only if nothing can be printed.
async fn print_all(
    google: &Google,
    properties: Vec<Target>,
    question: &Arc<Question>,
    printer: &mut Printer,
    streams: &mut Streams<'_>,
) -> io::Result<Vec<Failure>> {
    printer.begin(streams.out)?;
    let mut failures = Vec::new();
    let work = |target| {
        let (client, question) = (google.client.clone(), Arc::clone(question));
        async move { ask::ask(&client, &question, target).await }
    };
    let print = |outcome| question.progress.aside(|| print_one(outcome, printer, streams, &mut failures));
    in_order(properties, work, print).await?;
    printer.end(streams.out, &failures)?;
    streams.out.flush()?;
    Ok(failures)
}

fn print_one(
    outcome: Outcome,
    printer: &mut Printer,
    streams: &mut Streams<'_>,
    failures: &mut Vec<Failure>,
) -> io::Result<()> {
    match outcome {
        Outcome::Answered(answered) => {
            printer.answered(streams.out, &answered)?;
            streams.out.flush()?;
            for note in answered.notes() {
                // If stderr is closed, nobody reads the note.
                let _ = writeln!(streams.notes, "note: property {}: {note}", answered.property_id);
            }
        }
        Outcome::Failed(failure) => {
            if printer.asked() > 1 {
                let _ = writeln!(streams.notes, "error: {failure}");
            }
            failures.push(failure);
        }
    }
    Ok(())
}

/// Returns a note if the clock is wrong, since dates depend on it.
fn doubt_of_clock(offset: &ClockOffset) -> Option<String> {
    let ahead = offset.ahead().filter(|_| !offset.is_trusted())?;
    let error = wire::ApiError::Clock { ahead };
    Some(format!("{error}, so the dates may be wrong; set the clock, and let NTP keep it right"))
}

/// Returns the result that decides the exit code.
fn verdict(failures: Vec<Failure>, asked: usize) -> Result<(), CommandError> {
    let (count, first) = (failures.len(), failures.into_iter().next());
    match first {
        None if asked == 0 => Err(CommandError::Google(NO_PROPERTIES.to_owned())),
        None => Ok(()),
        Some(failure) if asked == 1 => Err(CommandError::Google(failure.to_string())),
        Some(_) => Err(CommandError::Google(format!("{count} of {asked} properties failed; see above"))),
    }
}

/// Hours from UTC of the zones where a day begins first and last.
const LATEST_HOURS: i8 = 14;
const EARLIEST_HOURS: i8 = -12;

const MESSAGE_CHARACTERS: usize = 1_000;

const NO_PROPERTIES: &str = "no property to query: the account has access to none, or discovery selects none; add it \
    as Viewer of a property in Google Analytics under Admin > Property access management, or check discovery.include \
    and discovery.exclude";
