//! `check`: goes online, tries everything once, and explains what is wrong.
//!
//! Runs the checks in the order of their dependencies, and skips those that cannot work after a failure. Checks each
//! report with the cheapest reliable test: the request itself, limited to one row.

use std::io::{ErrorKind, Write};

use super::{
    CommandError,
    google::{Google, Surroundings, Target},
    in_order::in_order,
    screen::Screen,
    setup::Setup,
};
use crate::{
    cli::{CheckFlags, CheckOutput},
    config::Config,
    ga,
};
use ga4_exporter_core::{chain::Chain, names::Reason};

use property::Subject;
use result::{CheckResult, Results};

mod plan;
mod property;
mod report;
mod result;
mod sign_in;

/// Runs all checks and prints their results.
///
/// # Errors
/// The configuration cannot be read, or a check failed and is printed.
pub async fn run(
    flags: &CheckFlags,
    surroundings: &Surroundings,
    out: &mut (dyn Write + Send),
    screen: Screen,
) -> Result<(), CommandError> {
    let setup = Setup::load(&flags.setup).await?;
    let mut results = Results::new(screen, flags.output == CheckOutput::Json);
    let checked = all(flags, &setup, surroundings, &mut results, out).await;
    match checked.and_then(|()| results.end(out)) {
        // If the pipe is closed, its reader has read enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(CommandError::Output(error)),
        Ok(()) if results.is_ok() => Ok(()),
        Ok(()) => Err(CommandError::Checked),
    }
}

async fn all(
    flags: &CheckFlags,
    setup: &Setup,
    surroundings: &Surroundings,
    results: &mut Results,
    out: &mut (dyn Write + Send),
) -> std::io::Result<()> {
    let config = &setup.loaded.config;
    let warnings = setup.loaded.warnings_at(surroundings.now());
    for warning in &warnings {
        results.add(CheckResult::warning("configuration", warning), out)?;
    }
    if flags.setup.config_file.is_some() && warnings.is_empty() {
        results.add(CheckResult::ok("configuration", "the file can be used"), out)?;
    }
    let google = match Google::reach(&setup.access, setup.credentials_file.as_deref(), surroundings).await {
        Ok(google) => google,
        // The error says what to do.
        Err(error) => {
            results.add(CheckResult::failed("credentials", Chain(&error).to_string()), out)?;
            return results.add(skipped("nothing else can be tried without credentials"), out);
        }
    };
    results.add(CheckResult::ok("credentials", google.credentials.clone()), out)?;
    let signed_in = sign_in::check(&google).await;
    let has_token = signed_in.status == result::Status::Ok;
    results.add(signed_in, out)?;
    if !has_token {
        results.add(sign_in::clock(&google), out)?;
        return results.add(skipped("nothing else can be tried without an access token"), out);
    }
    let Some(targets) = listing(&google, flags, setup, surroundings, results, out).await? else {
        return results.add(sign_in::clock(&google), out);
    };
    let reports = config.plan(ga4_exporter_core::properties::PropertySet::default(), true);
    let subject = std::sync::Arc::new(Subject {
        client: google.client.clone(),
        plan: reports,
        share: config.commands_share,
        clock: surroundings.clock.clone(),
        service_account: google.service_account.clone(),
    });
    properties(&subject, targets, results, out).await?;
    results.add(sign_in::clock(&google), out)
}

/// Checks whether the Admin API answers; returns the properties to check, or `None` if they are not known.
async fn listing(
    google: &Google,
    flags: &CheckFlags,
    setup: &Setup,
    surroundings: &Surroundings,
    results: &mut Results,
    out: &mut (dyn Write + Send),
) -> std::io::Result<Option<Vec<Target>>> {
    let config = &setup.loaded.config;
    let listed = google.client.listed_properties(config.most_properties).await;
    let result = match &listed {
        Ok(listing) if listing.is_complete() && listing.properties.is_empty() => {
            let account = google.client.account();
            let account = account.as_deref().unwrap_or("the account that signs in");
            let is_needed = config.discovery.is_some() && flags.property.is_empty();
            let status = if is_needed { result::Status::Failed } else { result::Status::Warning };
            CheckResult::new("admin_api", status, "it answers, and the account sees no property".to_owned()).remedy(
                format!(
                    "add {account} as Viewer of a property in Google Analytics under Admin > Property access management"
                ),
            )
        }
        Ok(listing) if !listing.is_complete() => CheckResult::warning(
            "admin_api",
            format!(
                "it lists {}, and has entries that cannot be read: {}",
                properties_of(listing),
                listing.unreadable.join("; ")
            ),
        ),
        Ok(listing) => CheckResult::ok("admin_api", format!("it lists {}", properties_of(listing))),
        Err(error) => failed("admin_api", "the properties cannot be listed", error, google),
    };
    results.add(result, out)?;
    // Where all properties are configured, reading the configuration has shown it.
    let is_known =
        flags.property.is_empty() && config.discovery.is_some() && listed.as_ref().is_ok_and(ga::Listing::is_complete);
    match google.targets(config, &flags.property, listed.ok(), surroundings.now()) {
        Some(targets) => {
            if is_known {
                unexported(config, &targets, results, out)?;
            }
            Ok(Some(targets))
        }
        None => {
            results.add(skipped("which properties there are is not known; name one with --property"), out)?;
            Ok(None)
        }
    }
}

/// Warns of reports that are limited to properties which are not exported.
fn unexported(
    config: &Config,
    targets: &[Target],
    results: &mut Results,
    out: &mut (dyn Write + Send),
) -> std::io::Result<()> {
    for (id, reports) in config.unexported(|id| targets.iter().any(|target| target.id == id)) {
        for report in reports {
            let remedy = "correct the number under `properties` of the report, or let discovery select the property";
            let warning = CheckResult::warning("report", format!("property {id} is not exported"));
            results.add(warning.report(report.as_str()).remedy(remedy), out)?;
        }
    }
    Ok(())
}

fn properties_of(listing: &ga::Listing) -> String {
    match listing.properties.len() {
        1 => "1 property".to_owned(),
        count => format!("{count} properties"),
    }
}

/// Checks every property. The first one is checked alone, because it shows whether the Data API can be used at all.
async fn properties(
    subject: &std::sync::Arc<Subject>,
    mut targets: Vec<Target>,
    results: &mut Results,
    out: &mut (dyn Write + Send),
) -> std::io::Result<()> {
    if targets.is_empty() {
        let skipped = skipped("there is no property to check: the account sees none, or discovery selects none");
        return results.add(skipped, out);
    }
    let rest = targets.split_off(1);
    let work = |target| {
        let subject = std::sync::Arc::clone(subject);
        async move { property::check(&subject, target).await }
    };
    let mut works = true;
    for target in targets {
        let checked = work(target).await;
        works = checked.data_api.status != result::Status::Failed;
        results.add(checked.data_api, out)?;
        for result in checked.results {
            results.add(result, out)?;
        }
    }
    if !works {
        let count = rest.len();
        let properties = if count == 1 { "1 more property".to_owned() } else { format!("{count} more properties") };
        let skipped = skipped(&format!("{properties}: the Data API fails for all of them"));
        return if count > 0 { results.add(skipped, out) } else { Ok(()) };
    }
    in_order(rest, work, |checked| checked.results.into_iter().try_for_each(|result| results.add(result, out))).await
}

fn skipped(message: &str) -> CheckResult {
    CheckResult::skipped("property", message)
}

/// Returns the result for a failed request, with its remedy.
fn failed(check: &'static str, what: &str, error: &ga::ApiError, google: &Google) -> CheckResult {
    let account = google.client.account();
    CheckResult::failed(check, format!("{what}: {}", Chain(error))).remedy(error.advice(None, account.as_deref()))
}

/// Returns whether an error concerns the Cloud project, the sign-in or the network, and therefore every property.
fn is_everybodys(error: &ga::ApiError) -> bool {
    matches!(
        error.reason(),
        Reason::ApiDisabled
            | Reason::InsufficientScope
            | Reason::CloudProject
            | Reason::Perimeter
            | Reason::Unauthenticated
            | Reason::NoCredentials
            | Reason::Connection
            | Reason::Timeout
            | Reason::RateLimit
    )
}
