//! `--config.check`: checks offline whether the configuration can be used.

use std::{io, path::PathBuf};

use jiff::civil::Date;

use super::{CommandError, print};
use ga4_drop_baseline::calendar::{QuietDays, Zone};

use ga4_exporter_core::{
    names::PropertyId,
    plan::Plan,
    properties::{Discovery, Properties, PropertyInfo},
    quota::ASSUMED,
    report::{Brings, Report, Scope},
    shown::ShownPath,
};

use crate::{
    auth::key_file::KeyFile,
    cli::ServeFlags,
    clock::Clock,
    config::DAYS_AHEAD,
    enumeration::enumerated,
    files::{Aside, READ_DEADLINE},
    reload::ConfigSource,
};

/// Prints the warnings and the plan.
///
/// # Errors
/// All mistakes in the configuration.
pub async fn run(flags: &ServeFlags) -> Result<(), CommandError> {
    let source = ConfigSource {
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
    // The key file may be missing on the machine that checks the configuration.
    if let Some(path) = source.credentials_file(&loaded.config)
        && let Err(error) = key(&aside, path).await
    {
        text.push_str(&format!("warning: {error}\n"));
    }
    let file = flags
        .config_file
        .as_ref()
        .map_or_else(|| "no configuration file".to_owned(), |file| ShownPath(file).to_string());
    text.push_str(&format!("{file}: valid\n"));
    let properties =
        Properties::new(&loaded.config.properties, loaded.config.discovery.as_ref(), flags.shard.shard).set();
    let plan = loaded.config.plan(properties, true);
    text.push_str(&describe_properties(&plan, loaded.config.discovery.as_ref()));
    text.push_str(&describe_reports(&plan));
    text.push_str(&describe_outlook(&plan));
    // Properties have dates of their own, but one day more or less does not matter here.
    let today = Zone::utc().date(now);
    text.push_str(&plan.quiet_days().map(|days| describe_quiet_days(days, today)).unwrap_or_default());
    print(text.as_bytes(), &mut io::stdout())
}

/// Checks the key file.
async fn key(aside: &Aside, path: PathBuf) -> Result<(), String> {
    let shown = ShownPath(&path).to_string();
    match aside.run(READ_DEADLINE, move || KeyFile::read(&path).map(drop)).await {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(hangs) => Err(format!("cannot read the key file {shown}: {hangs}")),
    }
}

/// Describes the configured properties, by id and with their custom labels, and how others are discovered.
fn describe_properties(plan: &Plan, discovery: Option<&Discovery>) -> String {
    let (here, elsewhere) = (plan.properties.active.len(), plan.properties.elsewhere);
    let mut text = format!("properties: {} configured", here + elsewhere);
    if elsewhere > 0 {
        text.push_str(&format!(", {here} of them in this shard"));
    }
    if here > 0 {
        text.push_str(&format!(": {}", enumerated(plan.properties.active.iter().map(property))));
    }
    text.push_str(match discovery {
        None => "; discovery off\n",
        Some(discovery) if discovery.include.is_empty() && discovery.exclude.is_empty() => {
            "; discovery on, for every property that the account can see\n"
        }
        Some(_) => "; discovery on, for the names that its patterns select\n",
    });
    text
}

/// Formats a property as `123456789 (site=shop, team=web)`.
fn property((id, info): (&PropertyId, &PropertyInfo)) -> String {
    let labels: Vec<String> = info.labels.iter().map(|(label, value)| format!("{label}={value}")).collect();
    if labels.is_empty() { id.to_string() } else { format!("{id} ({})", labels.join(", ")) }
}

fn describe_reports(plan: &Plan) -> String {
    let mut text = String::new();
    for report in &plan.reports {
        let brings = match report.brings {
            Brings::History { weeks, .. } => format!("{weeks} weeks of history"),
            Brings::ValuesOnly | Brings::Minutes => match report.families.len() {
                1 => "1 metric".to_owned(),
                count => format!("{count} metrics"),
            },
        };
        let brings = brings + &split(report) + &scope(report);
        text.push_str(&format!(
            "report {}: every {}, values hold for {}, {brings}\n",
            report.name,
            humantime::format_duration(report.interval),
            humantime::format_duration(report.stale_after.for_interval(report.interval)),
        ));
    }
    text
}

/// Describes the rows of a report with dimensions: ` by host_name, page_path; at most 20 rows`.
fn split(report: &Report) -> String {
    if !report.is_labelled() {
        return String::new();
    }
    let labels: Vec<&str> = report.dimensions.iter().map(|dimension| dimension.label.as_str()).collect();
    let rows = report.limit.map(|limit| format!("; at most {limit} rows")).unwrap_or_default();
    format!(" by {}{rows}", labels.join(", "))
}

/// Describes the scope of a report that is not for all properties: `; for 2 properties`.
fn scope(report: &Report) -> String {
    match &report.scope {
        Scope::All => String::new(),
        Scope::Only(properties) if properties.len() == 1 => "; for 1 property".to_owned(),
        Scope::Only(properties) => format!("; for {} properties", properties.len()),
    }
}

/// Describes whether the reports fit into the quota and what each of them will spend, with a warning if they do not fit.
fn describe_outlook(plan: &Plan) -> String {
    let (outlook, share) = (plan.outlook(), plan.share);
    let mut text = format!("quota: {outlook}\n");
    if !outlook.reports.is_empty() {
        text.push_str(&format!(
            "  of each property, if a request costs {ASSUMED} tokens, as is assumed until the first answer; at most {share} of a \
             quota may be spent\n"
        ));
    }
    for report in &outlook.reports {
        let name = &report.report;
        text.push_str(&format!("  {name}: {:.0} tokens per hour, {:.0} per day\n", report.per_hour, report.per_day()));
    }
    for bucket in &outlook.buckets {
        text.push_str(&format!("  {bucket}\n"));
    }
    for report in outlook.slowed() {
        text.push_str(&format!(
            "warning: {report}, unless its requests cost less than {ASSUMED} tokens; poll it less often, or raise `quota.share`\n",
        ));
    }
    text
}

/// Lists the next quiet days, so that a mistyped day or an outdated calendar is noticed.
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

    use ga4_exporter_core::shard::Shard;

    use super::*;
    use crate::config::Config;

    #[test]
    fn reports_with_dimensions_say_what_they_are_split_by() {
        let yaml = "reports: {pages: {preset: pages, properties: [5]}}";
        let config = Config::from_yaml(yaml, std::path::Path::new("pages.yml")).unwrap().config;
        let said = describe_reports(&config.plan(Properties::new(&[], None, Shard::default()).set(), true));
        let line = said.lines().find(|line| line.starts_with("report pages: ")).unwrap();
        assert!(line.ends_with("2 metrics by host_name, page_path; at most 20 rows; for 1 property"), "{line}");
    }

    /// Returns the description of this configuration, starting with the properties.
    fn described(yaml: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), yaml).unwrap();
        let config = Config::from_file_with(file.path(), &[]).unwrap().config;
        let properties = Properties::new(&config.properties, config.discovery.as_ref(), Shard::default()).set();
        let plan = config.plan(properties, true);
        describe_properties(&plan, config.discovery.as_ref()) + &describe_outlook(&plan)
    }

    #[test]
    fn the_quota_fits_or_does_not_and_the_properties_are_named() {
        let labelled = described("properties: [{id: 123456789, labels: {site: shop, area: web}}, {id: 234567890}]");
        assert!(
            labelled.starts_with(
                "properties: 2 configured: 123456789 (area=web, site=shop), 234567890; discovery off\n\
                 quota: fits: 14 % of the daily realtime quota\n"
            ),
            "{labelled}"
        );
        let many: Vec<String> = (100_000..100_012).map(|id| format!("{{id: {id}}}")).collect();
        let many = described(&format!("properties: [{}]", many.join(", ")));
        assert!(many.contains("12 configured: 100000, 100001,") && many.contains("100009 and 2 more;"), "{many}");
        let all = described("reports: {realtime: {interval: 1s}}");
        assert!(
            all.starts_with("properties: 0 configured; discovery on, for every property that the account"),
            "{all}"
        );
        assert!(all.contains("\nquota: does not fit: realtime every 39s instead of 1s\n"), "{all}");
        assert!(all.contains("\nwarning: realtime every 39s instead of 1s, unless"), "{all}");
        let some = described(
            "discovery: {enabled: true, include: [x]}\nreports: {realtime: {enabled: false}}\nbaseline: {enabled: false}",
        );
        assert!(some.contains("; discovery on, for the names that its patterns select\n"), "{some}");
        assert!(some.contains("\nquota: fits: ") && some.contains("core quota\n"), "{some}");
    }

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
