//! `--config.check`: says offline whether the configuration can be used.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use jiff::civil::Date;

use super::Error;
use ga4_drop_baseline::calendar::{QuietDays, Zone};

use ga4_exporter_core::{
    names::{Bucket, Category},
    plan::Plan,
    properties::Properties,
    quota::ASSUMED,
    report::Brings,
    shown::ShownPath,
};

use crate::{
    auth::key_file::KeyFile,
    cli::ServeFlags,
    clock::Clock,
    config::DAYS_AHEAD,
    files::{Aside, READ_DEADLINE},
    reload::Source,
};

/// Prints warnings and what would be polled.
///
/// # Errors
/// Everything that is wrong in the configuration.
pub async fn run(flags: &ServeFlags) -> Result<(), Error> {
    let source = Source {
        file: flags.config_file.clone(),
        properties: flags.google.properties.clone(),
        credentials_file: flags.google.access.credentials_file.clone(),
    };
    let aside = Aside::start("configuration");
    let loaded = source.load_aside(&aside).await?;
    let mut text = String::new();
    let now = Clock::system().now();
    for warning in loaded.warnings_at(now) {
        text.push_str(&format!("warning: {warning}\n"));
    }
    // The machine that checks need not be the one that holds the key.
    if let Some(path) = source.credentials_file(&loaded.config)
        && let Err(error) = key(&aside, path).await
    {
        text.push_str(&format!("warning: {error}\n"));
    }
    let file = flags
        .config_file
        .as_ref()
        .map_or_else(|| "no configuration file".to_owned(), |file| ShownPath(file).to_string());
    text.push_str(&format!("{file}: good\n"));
    let properties =
        Properties::new(&loaded.config.properties, loaded.config.discovery.as_ref(), flags.shard.shard).set();
    let plan = loaded.config.plan(properties, true);
    text.push_str(&describe(&plan, loaded.config.discovery.is_some()));
    text.push_str(&describe_outlook(&plan));
    // Properties have dates of their own; by a day it does not matter here.
    let today = Zone::utc().date(now);
    text.push_str(&plan.quiet_days().map(|days| describe_quiet_days(days, today)).unwrap_or_default());
    // Whoever closed the pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

/// What is wrong with a key file.
async fn key(aside: &Aside, path: PathBuf) -> Result<(), String> {
    let shown = ShownPath(&path).to_string();
    match aside.run(READ_DEADLINE, move || KeyFile::read(&path).map(drop)).await {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(hangs) => Err(format!("cannot read the key file {shown}: {hangs}")),
    }
}

fn describe(plan: &Plan, discovers: bool) -> String {
    let (here, elsewhere) = (plan.properties.active.len(), plan.properties.elsewhere);
    let mut text = format!("properties: {} configured", here + elsewhere);
    if elsewhere > 0 {
        text.push_str(&format!(", {here} of them in this shard"));
    }
    text.push_str(if discovers { ", others discovered\n" } else { ", discovery off\n" });
    for report in &plan.reports {
        let brings = match report.brings {
            Brings::History { weeks, .. } => format!("{weeks} weeks of history"),
            Brings::ValuesOnly | Brings::Minutes => format!("{} metrics", report.families.len()),
        };
        text.push_str(&format!(
            "report {}: every {}, values hold for {}, {brings}\n",
            report.name,
            humantime::format_duration(report.interval),
            humantime::format_duration(report.stale_after.for_interval(report.interval)),
        ));
    }
    text
}

/// What the reports will spend, and a warning where they cannot have their intervals.
fn describe_outlook(plan: &Plan) -> String {
    let (outlook, share) = (plan.outlook(), plan.share);
    let mut text =
        format!("quota: of each property, if a request costs {ASSUMED} tokens, as is assumed until it is known:\n");
    for report in &outlook.reports {
        let name = &report.report;
        text.push_str(&format!("  {name}: {:.0} tokens an hour, {:.0} a day\n", report.per_hour, report.per_day()));
    }
    for category in Category::ALL {
        let of_it = outlook.buckets.iter().filter(|bucket| bucket.category == *category);
        let parts: Vec<String> =
            of_it.map(|one| format!("{:.1} % of {}", 100.0 * one.part, title(one.bucket))).collect();
        if !parts.is_empty() {
            text.push_str(&format!("  {category}: {}; at most {share} may be spent\n", parts.join(", ")));
        }
    }
    for report in outlook.reports.iter().filter(|report| report.limit.is_some()) {
        text.push_str(&format!(
            "warning: {} will be polled every {} and not every {}, unless its requests cost less than {ASSUMED} tokens; poll it \
             less often, or raise `quota.share`\n",
            report.report,
            humantime::format_duration(report.planned),
            humantime::format_duration(report.configured),
        ));
    }
    text
}

fn title(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Day => "the day's tokens",
        Bucket::Hour => "the hour's",
        Bucket::ProjectHour => "this project's of an hour",
        Bucket::Concurrent | Bucket::ClientErrors | Bucket::ServerErrors | Bucket::Thresholded | Bucket::Unknown => {
            "others"
        }
    }
}

/// What somebody sees who mistyped a day, or whose calendar has run out.
fn describe_quiet_days(quiet_days: &QuietDays, today: Date) -> String {
    let mut coming = quiet_days.among(today, DAYS_AHEAD);
    match coming.next() {
        Some(next) => {
            format!("quiet days: {} in the next {DAYS_AHEAD} days, the next on {next}\n", coming.count() + 1)
        }
        None if quiet_days.entries().is_empty() => String::new(),
        None => format!("quiet days: none in the next {DAYS_AHEAD} days\n"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_coming_quiet_days_are_counted() {
        for (entries, expected) in [
            (&[][..], ""),
            (&["2026-05-01"], "quiet days: none in the next 365 days\n"),
            (&["2026-11-24", "2027-11-24"], "quiet days: 1 in the next 365 days, the next on 2026-11-24\n"),
            (&["12-24..12-26", "2027-11-23"], "quiet days: 4 in the next 365 days, the next on 2026-12-24\n"),
        ] {
            let days = QuietDays::new(entries.iter().map(|text| text.parse().unwrap()).collect());
            assert_eq!(describe_quiet_days(&days, date(2026, 11, 24)), expected, "{entries:?}");
        }
    }
}
