use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn quiet(entries: &[&str]) -> QuietDays {
    QuietDays::new(entries.iter().map(|text| text.parse().unwrap_or_else(|error| panic!("{error}"))).collect())
}

/// Checks which of the dates are quiet.
#[track_caller]
fn check(entries: &[&str], expected: &[(Date, bool)]) {
    let days = quiet(entries);
    for (date, is_quiet) in expected {
        assert_eq!(days.is_quiet(*date), *is_quiet, "{date}: {entries:?}");
    }
}

#[test]
fn no_day_is_quiet_by_default() {
    assert_eq!(QuietDays::default().among(date(2026, 1, 1), 366).count(), 0);
    assert_eq!(QuietDays::default(), QuietDays::new(Vec::new()));
}

#[test]
fn a_date_is_quiet_once() {
    check(
        &["2026-04-03"],
        &[(date(2026, 4, 2), false), (date(2026, 4, 3), true), (date(2026, 4, 4), false), (date(2027, 4, 3), false)],
    );
}

#[test]
fn a_range_has_both_its_ends() {
    check(
        &["2026-12-24..2027-01-02"],
        &[
            (date(2026, 12, 23), false),
            (date(2026, 12, 24), true),
            (date(2026, 12, 31), true),
            (date(2027, 1, 2), true),
            (date(2027, 1, 3), false),
            (date(2027, 12, 24), false),
        ],
    );
}

#[test]
fn a_day_without_a_year_is_quiet_every_year() {
    check(
        &["12-25"],
        &[
            (date(2020, 12, 25), true),
            (date(2026, 12, 25), true),
            (date(2099, 12, 25), true),
            (date(2026, 12, 24), false),
        ],
    );
    check(&["01-31", "12-01"], &[(date(2026, 1, 31), true), (date(2026, 12, 1), true), (date(2026, 1, 1), false)]);
}

#[test]
fn the_29th_of_february_is_quiet_where_there_is_one() {
    check(&["02-29"], &[(date(2028, 2, 29), true), (date(2027, 2, 28), false), (date(2027, 3, 1), false)]);
    check(&["02-28..03-01"], &[(date(2028, 2, 29), true), (date(2027, 2, 28), true), (date(2027, 3, 1), true)]);
}

#[test]
fn a_range_without_years_goes_on_over_new_year() {
    check(
        &["12-24..01-02"],
        &[
            (date(2026, 12, 23), false),
            (date(2026, 12, 24), true),
            (date(2026, 12, 31), true),
            (date(2027, 1, 1), true),
            (date(2027, 1, 2), true),
            (date(2027, 1, 3), false),
            (date(2027, 6, 30), false),
        ],
    );
    assert_eq!(quiet(&["12-24..01-02"]).among(date(2026, 12, 1), 366).count(), 10);
}

#[test]
fn days_that_meet_or_overlap_are_counted_once() {
    let days = quiet(&["2026-05-04..2026-05-10", "2026-05-01", "2026-05-02..2026-05-03", "2026-05-08", "05-09..05-12"]);
    assert_eq!(days.among(date(2026, 1, 1), 365).count(), 12);
    assert_eq!(days.0.days, [Days { first: date(2026, 5, 1), last: date(2026, 5, 10) }]);
    assert_eq!(days.among(date(2026, 5, 11), 365).next(), Some(date(2026, 5, 11)));
}

#[test]
fn the_days_of_a_calendar_count_like_those_of_the_list() {
    let path = PathBuf::from("/etc/holidays.ics");
    let of = |path, days| Entry::Calendar { path, include: Vec::new(), exclude: Vec::new(), days };
    let calendar = of(path.clone(), vec![Days { first: date(2026, 5, 1), last: date(2026, 5, 1) }]);
    assert_eq!(calendar.to_string(), "/etc/holidays.ics");
    let days = QuietDays::new(vec![calendar.clone()]);
    assert!(days.is_quiet(date(2026, 5, 1)));
    assert_ne!(days, QuietDays::new(vec![of(path, Vec::new())]));
    assert_eq!(days.entries(), [calendar]);
}

#[test]
fn a_calendar_runs_out() {
    let calendar = |name: &str, first, last| Entry::Calendar {
        path: name.into(),
        include: Vec::new(),
        exclude: Vec::new(),
        days: vec![Days { first, last }],
    };
    let days = QuietDays::new(vec![
        "2020-01-01".parse().unwrap(),
        calendar("over.ics", date(2026, 5, 1), date(2026, 5, 2)),
        calendar("today.ics", date(2026, 5, 1), date(2026, 5, 3)),
        calendar("last.ics", date(2027, 5, 2), date(2027, 5, 2)),
        calendar("later.ics", date(2027, 5, 3), date(2027, 5, 3)),
        Entry::Calendar { path: "none.ics".into(), include: Vec::new(), exclude: Vec::new(), days: Vec::new() },
    ]);
    let found: Vec<_> = days.exhausted(date(2026, 5, 3), 365).map(|path| path.to_str().unwrap()).collect();
    assert_eq!(found, ["over.ics", "later.ics", "none.ics"]);
}

#[test]
fn what_is_no_day_says_what_to_write() {
    for (text, expected) in [
        ("", "`` is not a day; write `2026-04-03`"),
        ("christmas", "`christmas` is not a day"),
        ("2026-4-3", "is not a day"),
        ("26-04-03", "is not a day"),
        ("2026-04-03T00:00", "is not a day"),
        ("2026-04", "is not a day"),
        ("+1-02", "is not a day"),
        ("2026-04-03..", "`2026-04-03..` is not a day"),
        ("..", "is not a day"),
        ("12-24...12-26", "is not a day"),
        ("12-24..12-25..12-26", "is not a day"),
        ("99999999999-01-01", "is not a day"),
        ("02-30", "there is no `02-30` in the calendar; write a day that exists"),
        ("2026-02-29", "there is no `2026-02-29`"),
        ("25-12", "there is no `25-12` in the calendar; write a day that exists, the month before the day"),
        ("0000-00-00", "there is no `0000-00-00`"),
        ("2026-04-01..2026-04-31", "there is no `2026-04-31`"),
        ("2026-04-03..2026-04-01", "`2026-04-03..2026-04-01` ends before it begins; write the earlier day first"),
        ("2026-12-24..01-02", "has a year at one end only"),
        ("12-24..2027-01-02", "has a year at one end only"),
        ("12-26..12-24", "`12-26..12-24` is 365 days long; write the earlier day first, and 183 days at most"),
        ("2026-01-01..2027-01-01", "is 366 days long"),
    ] {
        let error = text.parse::<Entry>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!("2026-01-01..2026-07-02".parse::<Entry>().is_ok(), "exactly 183 days are allowed");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_an_entry_or_refused(text in "[0-9.-]{0,24}|\\PC{0,24}") {
        if let Ok(entry) = text.parse::<Entry>() {
            prop_assert_eq!(entry.to_string().parse::<Entry>(), Ok(entry));
        }
    }

    #[test]
    fn a_day_is_quiet_if_an_entry_has_it(
        starts in proptest::collection::vec((0..700_i32, 0..40_i32), 0..20),
        day in 0..800_i32,
    ) {
        let start = date(2026, 1, 1);
        let days: Vec<Days> = starts
            .iter()
            .map(|(first, length)| Days { first: start + first.days(), last: start + (first + length).days() })
            .collect();
        let date = start + day.days();
        let expected = days.iter().any(|days| days.first <= date && date <= days.last);
        let quiet_days = QuietDays::new(days.into_iter().map(Entry::Days).collect());
        prop_assert_eq!(quiet_days.is_quiet(date), expected);
    }
}

#[test]
fn days_that_ran_out_are_found_until_a_later_date_is_configured() {
    let lapsed = |entries: &[&str]| -> Vec<Date> { quiet(entries).lapsed(date(2026, 12, 20), 7).collect() };
    assert_eq!(lapsed(&["2025-12-25..2025-12-26"]), [date(2026, 12, 25), date(2026, 12, 26)]);
    assert_eq!(lapsed(&["2025-12-25", "2026-12-25"]), [], "it is configured again");
    assert_eq!(lapsed(&["2025-12-25", "12-25"]), [], "it recurs");
    assert_eq!(lapsed(&["2025-12-24", "2027-01-01"]), [], "it was left out on purpose");
    assert_eq!(lapsed(&["2024-12-25"]), [], "two years ago");
    assert_eq!(quiet(&["2024-02-29"]).lapsed(date(2025, 2, 26), 7).collect::<Vec<_>>(), []);
}
