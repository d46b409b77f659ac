//! The calendars that a configuration names.

use std::{collections::BTreeSet, fs, path::Path};

use google_analytics_exporter::{calendar::QuietDays, config::Config};
use jiff::civil::date;

#[test]
fn the_days_of_a_calendar_are_quiet() {
    let days = quiet_days(Path::new("tests/fixtures/config/good-calendar.yml"));
    let found: Vec<_> = days.among(date(2026, 1, 1), 3 * 365).map(|date| date.to_string()).collect();
    let expected = [
        "2026-04-03",
        "2026-06-12",
        "2026-10-03",
        "2026-11-26",
        "2026-12-25",
        "2026-12-26",
        "2027-03-26",
        "2027-12-24",
        "2027-12-25",
        "2027-12-26",
        "2027-12-27",
        "2028-04-14",
        "2028-11-23",
        "2028-12-25",
        "2028-12-26",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_printed_names_the_calendar_and_reads_back() {
    let config = read(Path::new("tests/fixtures/config/good-calendar.yml"));
    let text = config.to_yaml();
    let file = std::path::absolute("tests/fixtures/config/holidays.ics").unwrap();
    assert!(text.contains(&format!("quiet_days: [\"{}\", \"2026-10-03\"]", file.display())), "{text}");
    assert_eq!(Config::from_yaml(&text, Path::new("/elsewhere/config.yml")).unwrap().config, config);
}

#[test]
fn a_calendar_is_read_anew_with_the_configuration() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yml");
    let calendar = directory.path().join("holidays.ics");
    let event = |date| format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:{date}\nEND:VEVENT\nEND:VCALENDAR\n");
    fs::write(&file, "reports: {baseline: {quiet_days: [holidays.ics]}}").unwrap();
    fs::write(&calendar, event("20261225")).unwrap();
    let before = read(&file);
    assert_eq!(read(&file), before);
    fs::write(&calendar, event("20261226")).unwrap();
    let after = read(&file);
    assert_ne!(after, before, "the text is the same, and the days are not");
    assert!(after.baseline.quiet_days.is_quiet(date(2026, 12, 26)));
    fs::write(&calendar, "BEGIN:VCALENDAR\nEND:VCALENDAR\n").unwrap();
    assert_eq!(quiet_days(&file).among(date(2026, 1, 1), 366).count(), 0);
}

#[test]
fn a_calendar_beyond_the_limit_or_no_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yml");
    let calendar = directory.path().join("holidays.ics");
    let refused = || Config::from_file(&file).unwrap_err().problems()[0].message().to_owned();
    fs::write(&file, "reports: {baseline: {quiet_days: [holidays.ics]}}").unwrap();
    let empty = "BEGIN:VCALENDAR\nEND:VCALENDAR\n";
    let sized = |bytes: usize| format!("{empty}{}", "\n".repeat(bytes - empty.len()));
    fs::write(&calendar, sized(1 << 20)).unwrap();
    assert!(Config::from_file(&file).is_ok(), "exactly 1 MiB is allowed");
    fs::write(&calendar, sized((1 << 20) + 1)).unwrap();
    let key = "`reports.baseline.quiet_days[]`";
    assert_eq!(
        refused(),
        format!("{key}: the calendar `holidays.ics` is larger than 1024 KiB, the most that is read; leave out events")
    );
    fs::remove_file(&calendar).unwrap();
    fs::create_dir(&calendar).unwrap();
    assert_eq!(
        refused(),
        format!(
            "{key}: cannot read the calendar `holidays.ics` (it is not a file); give the path of a readable file, \
             relative to this file's directory"
        )
    );
}

#[test]
fn many_mistakes_of_a_calendar_are_told_and_the_rest_counted() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yml");
    fs::write(&file, "reports: {baseline: {quiet_days: [holidays.ics]}}").unwrap();
    let events = "BEGIN:VEVENT\nDTSTART:x\nEND:VEVENT\n".repeat(25);
    fs::write(directory.path().join("holidays.ics"), format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n")).unwrap();
    let errors = Config::from_file(&file).unwrap_err();
    let messages: BTreeSet<_> = errors.problems().iter().map(|problem| problem.message()).collect();
    assert_eq!(messages.len(), 21);
    assert!(
        messages.contains("`reports.baseline.quiet_days[]`: calendar `holidays.ics`: 5 more events; mend these first")
    );
}

#[test]
fn the_list_has_an_end() {
    let list = |entries: usize| format!("reports: {{baseline: {{quiet_days: [{}]}}}}", "12-25, ".repeat(entries));
    assert!(Config::from_yaml(&list(1000), Path::new("config.yml")).is_ok());
    let errors = Config::from_yaml(&list(1001), Path::new("config.yml")).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "config.yml:1:34: `reports.baseline.quiet_days` has 1001 entries; keep at most 1000, and write days in a row as \
         `2026-12-24..2027-01-02`"
    );
}

fn read(file: &Path) -> Config {
    Config::from_file(file).expect("the file is a good one").config
}

fn quiet_days(file: &Path) -> QuietDays {
    read(file).baseline.quiet_days
}
