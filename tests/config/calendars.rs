//! The calendars that a configuration names.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use ga4_drop_baseline::calendar::QuietDays;
use google_analytics_exporter::config::Config;
use jiff::civil::date;
use tempfile::TempDir;

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
    fs::write(&file, "baseline: {quiet_days: [holidays.ics]}").unwrap();
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
    fs::write(&file, "baseline: {quiet_days: [holidays.ics]}").unwrap();
    let empty = "BEGIN:VCALENDAR\nEND:VCALENDAR\n";
    let sized = |bytes: usize| format!("{empty}{}", "\n".repeat(bytes - empty.len()));
    fs::write(&calendar, sized(1 << 20)).unwrap();
    assert!(Config::from_file(&file).is_ok(), "exactly 1 MiB is allowed");
    fs::write(&calendar, sized((1 << 20) + 1)).unwrap();
    let key = "`baseline.quiet_days[]`";
    assert_eq!(
        refused(),
        format!("{key}: the calendar `holidays.ics` is larger than 1024 KiB, the most that is read; leave out events")
    );
    fs::remove_file(&calendar).unwrap();
    fs::create_dir(&calendar).unwrap();
    assert_eq!(
        refused(),
        format!(
            "{key}: cannot read the calendar `holidays.ics` (Is a directory (os error 21)); give the path of a readable file, \
             relative to this file's directory"
        )
    );
}

#[test]
fn many_calendars_full_of_mistakes_have_a_hundred_warnings() {
    let (_directory, file) =
        configuration(&["holidays.ics"; 200].join(", "), &"BEGIN:VEVENT\nDTSTART:x\nEND:VEVENT\n".repeat(25));
    let shown = Config::from_file(&file).unwrap().warnings_at("2026-11-27T12:00:00Z".parse().unwrap());
    assert!(shown.len() <= 201, "{} lines", shown.len());
    assert_eq!(shown[100], "4100 more warnings about the configuration; fix these first");
}

#[test]
fn many_mistakes_of_a_calendar_are_warnings_and_the_rest_is_counted() {
    let (_directory, file) =
        configuration("{calendar: holidays.ics}", &"BEGIN:VEVENT\nDTSTART:x\nEND:VEVENT\n".repeat(25));
    let warnings = Config::from_file(&file).unwrap().warnings;
    let messages: BTreeSet<_> = warnings.iter().map(|problem| problem.message()).collect();
    assert_eq!(messages.len(), 21);
    assert!(messages.contains(
        "`baseline.quiet_days[].calendar`: calendar `holidays.ics`, line 3: the event is left out: `DTSTART`: `x` \
         is no date or time; write `20261225`, `20261225T080000` or `20261225T080000Z`"
    ));
    assert!(messages.contains(
        "`baseline.quiet_days[].calendar`: calendar `holidays.ics`: 5 more problems like these; fix these first"
    ));
}

#[test]
fn what_cannot_be_read_in_a_calendar_never_keeps_the_exporter_from_starting() {
    let event = "BEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\n";
    for (content, days) in [
        (format!("BEGIN:VEVENT\nEND:VEVENT\n{event}BEGIN:VEVENT\nDTSTART:x\nEND:VEVENT\n"), 1),
        (format!("{event}no colon\nEND:VTODO\n"), 1),
        (format!("{event}BEGIN:VEVENT\nDTSTART:2026"), 1),
    ] {
        let (_directory, file) = configuration("holidays.ics", &content);
        let loaded = Config::from_file(&file).unwrap();
        assert!(!loaded.warnings.is_empty(), "{content}");
        assert_eq!(loaded.config.baseline.quiet_days.among(date(2026, 1, 1), 365).count(), days, "{content}");
    }
    let (directory, file) = configuration("holidays.ics", "");
    for content in ["", "<!DOCTYPE html>\n<html>\n", "\0\u{1}\u{2}"] {
        fs::write(directory.path().join("holidays.ics"), content).unwrap();
        let loaded = Config::from_file(&file).unwrap();
        assert!(loaded.warnings[0].message().contains("this is not an iCalendar file"), "{content}");
    }
}

#[test]
fn the_events_of_a_calendar_can_be_chosen() {
    let events = "BEGIN:VEVENT\nSUMMARY:Christmas\nCATEGORIES:Federal\nDTSTART:20261225\nEND:VEVENT\n\
                  BEGIN:VEVENT\nSUMMARY:Flag Day (observance)\nCATEGORIES:Federal\nDTSTART:20260614\nEND:VEVENT\n\
                  BEGIN:VEVENT\nSUMMARY:Groundhog Day\nDTSTART:20260202\nEND:VEVENT\n";
    for (entry, expected) in [
        ("{calendar: holidays.ics}", &["2026-02-02", "2026-06-14", "2026-12-25"][..]),
        ("{calendar: holidays.ics, include: ['(?i)federal']}", &["2026-06-14", "2026-12-25"]),
        ("{calendar: holidays.ics, include: ['(?i)federal'], exclude: ['(?i)observance']}", &["2026-12-25"]),
        ("{calendar: holidays.ics, exclude: [Day]}", &["2026-12-25"]),
    ] {
        let (_directory, file) = configuration(entry, events);
        let loaded = Config::from_file(&file).unwrap();
        assert_eq!(loaded.warnings, []);
        let found: Vec<_> =
            loaded.config.baseline.quiet_days.among(date(2026, 1, 1), 365).map(|date| date.to_string()).collect();
        assert_eq!(found, expected, "{entry}");
        let text = loaded.config.to_yaml();
        assert_eq!(
            Config::from_yaml(&text, Path::new("/elsewhere/config.yml")).unwrap().config,
            loaded.config,
            "{text}"
        );
    }
}

#[test]
fn a_pattern_that_matches_nothing_is_a_warning() {
    let event = "BEGIN:VEVENT\nSUMMARY:Christmas\nDTSTART:20261225\nEND:VEVENT\n";
    let (_directory, file) =
        configuration("{calendar: holidays.ics, include: [Easter, Christ], exclude: [Flag]}", event);
    let warnings = Config::from_file(&file).unwrap().warnings;
    let messages: Vec<_> = warnings.iter().map(|problem| problem.message()).collect();
    let expected = "`baseline.quiet_days[].calendar`: calendar `holidays.ics`: the pattern `Easter` of `include` \
                    matches no event; compare it with `SUMMARY` and `CATEGORIES` in the file";
    assert_eq!(messages, [expected]);
}

#[test]
fn a_calendar_without_a_day_in_the_next_year_is_a_warning() {
    let events = "BEGIN:VEVENT\nSUMMARY:Christmas\nDTSTART:20261225\nEND:VEVENT\n";
    let warnings = |entry: &str, now: &str| {
        let (directory, file) = configuration(entry, events);
        let warnings = Config::from_file(&file).unwrap().warnings_at(now.parse().unwrap());
        warnings.iter().map(|text| text.replace(directory.path().to_str().unwrap(), "<HERE>")).collect::<Vec<_>>()
    };
    assert!(warnings("holidays.ics", "2026-12-25T23:59:59Z").is_empty());
    assert!(warnings("holidays.ics", "2025-12-26T00:00:00Z").is_empty());
    assert!(warnings("2020-01-01", "2026-12-26T00:00:00Z").is_empty(), "whoever writes a day knows which");
    let expected = "the calendar <HERE>/holidays.ics has no quiet day in the 365 days from 2026-12-26 on; renew the file, \
                    or choose other events in it";
    assert_eq!(warnings("holidays.ics", "2026-12-26T00:00:00Z"), [expected]);
    let chosen = warnings("{calendar: holidays.ics, exclude: [Christ]}", "2026-12-24T00:00:00Z");
    assert_eq!(chosen, [expected.replace("12-26", "12-24")], "what is not chosen does not count");
}

#[test]
fn the_list_has_an_end() {
    let list = |entries: usize| format!("baseline: {{quiet_days: [{}]}}", "12-25, ".repeat(entries));
    assert!(Config::from_yaml(&list(1000), Path::new("config.yml")).is_ok());
    let errors = Config::from_yaml(&list(1001), Path::new("config.yml")).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "config.yml:1:24: `baseline.quiet_days` has 1001 entries; keep at most 1000, and write days in a row as \
         `2026-12-24..2027-01-02`"
    );
}

/// A configuration with this entry, beside a calendar with these events.
fn configuration(entry: &str, events: &str) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let file = directory.path().join("config.yml");
    fs::write(&file, format!("baseline: {{quiet_days: [{entry}]}}")).expect("the directory is ours");
    let calendar = format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n");
    fs::write(directory.path().join("holidays.ics"), calendar).expect("the directory is ours");
    (directory, file)
}

fn read(file: &Path) -> Config {
    Config::from_file(file).expect("the file is a good one").config
}

fn quiet_days(file: &Path) -> QuietDays {
    read(file).baseline.quiet_days
}
