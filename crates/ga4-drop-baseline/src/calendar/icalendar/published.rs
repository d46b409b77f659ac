//! Calendars as programs and sites publish them, with the days that a person expects of each.

use regex::Regex;

use super::*;

/// Returns the days from 2026 to 2028 of a calendar with these lines.
fn of(lines: &str) -> (String, String) {
    let calendar = read(lines.as_bytes(), &Selection::default(), &mut Budget::default());
    let words = calendar.days.iter().filter(|days| (2026..=2028).contains(&days.first.year()));
    let words =
        words.map(|Days { first, last }| if first == last { format!("{first}") } else { format!("{first}..{last}") });
    let mistakes: Vec<_> = calendar.mistakes.first().iter().map(Mistake::to_string).collect();
    (words.collect::<Vec<_>>().join(" "), mistakes.join("\n"))
}

#[track_caller]
fn check_file(file: &str, expected: &str) {
    assert_eq!(of(file), (expected.to_owned(), String::new()), "{file}");
}

/// Checks an event with these lines and the uid `1`.
#[track_caller]
fn check(lines: &str, expected: &str) {
    check_file(&format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n"), expected);
}

#[test]
fn properties_without_a_value_say_nothing() {
    check(
        "DTSTART;VALUE=DATE:20261225\nRRULE:\nRDATE:\nEXDATE:\nDURATION:\nSTATUS:\nRECURRENCE-ID:\nEXRULE:",
        "2026-12-25",
    );
    check("DTSTART;VALUE=DATE:20261225\nDTEND:\nRRULE: \nRDATE;VALUE=DATE: \nEXDATE;TZID=Europe/Berlin:", "2026-12-25");
    check("DTSTART:20261225\nRDATE:20261227,\nEXDATE:,20261225,", "2026-12-27");
}

#[test]
fn rules_have_parts_that_say_nothing() {
    let twice = "2026-12-25 2027-12-25";
    for rule in [
        "FREQ=YEARLY;COUNT=2;",
        ";FREQ=YEARLY;;COUNT=2",
        "FREQ=YEARLY; COUNT=2 ;",
        "RRULE:FREQ=YEARLY;COUNT=2",
        "FREQ=YEARLY;COUNT=2;X-NAME=x",
        "X-WR-FLAG;FREQ=YEARLY;COUNT=2;x-evolution-enddate=20271225T000000Z",
        "FREQ=YEARLY;COUNT=2;UNTIL=;BYDAY=;INTERVAL=",
        "FREQ=YEARLY;COUNT=2;INTERVAL=0",
        "FREQ=YEARLY;COUNT=2;FREQ=YEARLY",
        "FREQ=YEARLY;COUNT=9;UNTIL=20271225",
        "FREQ=YEARLY;COUNT=2;BYMONTH=12,;BYMONTHDAY=25",
        "FREQ=YEARLY;COUNT=2;BYHOUR=0;BYMINUTE=0;BYSECOND=0",
        "FREQ=YEARLY;COUNT=2;RSCALE=GREGORIAN;SKIP=OMIT",
        "FREQ=YEARLY;COUNT=2;BYSETPOS=1",
        "FREQ=YEARLY;COUNT=2;BYYEARDAY=-7",
    ] {
        check(&format!("DTSTART;VALUE=DATE:20261225\nRRULE:{rule}"), twice);
    }
    check("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=-1", "2026-12-25 2027-12-25 2028-12-25");
    check("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=WEEKLY;BYDAY=2FR;COUNT=2", "2026-12-25 2027-01-01");
}

#[test]
fn two_rules_have_the_days_of_both() {
    let rules = "RRULE:FREQ=YEARLY;COUNT=2\nRRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=1;UNTIL=20280601";
    check(&format!("DTSTART;VALUE=DATE:20261225\n{rules}"), "2026-12-25 2027-05-01 2027-12-25 2028-05-01");
    check(&format!("DTSTART;VALUE=DATE:20261225\n{rules}\nEXDATE:20270501"), "2026-12-25 2027-12-25 2028-05-01");
    check("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=2\nRRULE:FREQ=YEARLY;COUNT=2", "2026-12-25 2027-12-25");
}

#[test]
fn an_event_that_begins_with_a_whole_day_may_end_at_a_time() {
    for end in [
        "DTEND:20261226T000000",
        "DTEND:20261226T000000Z",
        "DTEND;TZID=Europe/Berlin:20261226T000000",
        "DTEND:20261225T235959",
        "DTEND:20261225T170000",
        "DTEND:20261225T000000",
        "DTEND:20261225T230000Z",
        "DTEND:20261226T050000Z",
        "DTEND:20261225T150000Z",
        "DURATION:PT8H",
        "DURATION:PT0S",
        "DURATION:PT24H",
        "DURATION:p1d",
        "DTEND;VALUE=DATE:20261225",
        "DTEND;VALUE=DATE:20261226\nDURATION:P1D",
        "DURATION:P3D\nDTEND;VALUE=DATE:20261226",
    ] {
        check(&format!("DTSTART;VALUE=DATE:20261225\n{end}"), "2026-12-25");
    }
    check("DTSTART;VALUE=DATE:20261225\nDTEND:20261226T235900", "2026-12-25..2026-12-26");
    check("DTSTART:20261225T000000\nDTEND;VALUE=DATE:20261226", "2026-12-25");
    check("DTSTART:20261225T000000\nDTEND;VALUE=DATE:20261225", "2026-12-25");
    check("DTSTART;TZID=Europe/Berlin:20261225T000000\nDTEND;VALUE=DATE:20261227", "2026-12-25..2026-12-26");
}

#[test]
fn a_date_may_have_the_wrong_type_or_another_format() {
    for start in [
        "DTSTART;VALUE=DATE:20261225T000000",
        "DTSTART;VALUE=DATE:20261225T000000Z",
        "DTSTART;VALUE=date;TZID=America/New_York:20261225T080000",
        "DTSTART;VALUE=DATE-TIME:20261225",
        "DTSTART;VALUE=TEXT:20261225",
        "DTSTART;TZID=Europe/Berlin:20261225",
        "DTSTART:2026-12-25",
        "DTSTART: 20261225 ",
        "dtstart;value=date:20261225",
        "DTSTART;VALUE=DATE:20261225\nDTSTART;VALUE=DATE:20261225",
    ] {
        check(start, "2026-12-25");
    }
    check("DTSTART;VALUE=DATE:20261225T000000\nDTEND;VALUE=DATE:20261227T000000", "2026-12-25..2026-12-26");
    check("DTSTART:2026-12-25T00:00:00.000Z\nDTEND:2026-12-26T00:00:00.000Z", "2026-12-25");
    check("DTSTART:20261225t0000\nDTEND:20261225T240000", "2026-12-25");
}

#[test]
fn zones_have_the_names_that_programs_give_them() {
    for zone in [
        "Europe/Berlin",
        "\"Europe/Berlin\"",
        "W. Europe Standard Time",
        "\"W. Europe Standard Time\"",
        "/mozilla.org/20070129_1/Europe/Berlin",
        "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
        "\"(UTC+01:00) Amsterdam, Berlin, Rome\"",
        "(UTC+01:00) Amsterdam\\, Berlin",
        "GMT+0100",
    ] {
        let start = format!("DTSTART;TZID={zone}:20261224T000000\nDURATION:P1D");
        check(&format!("{start}\nRRULE:FREQ=DAILY;UNTIL=20261225T230000Z"), "2026-12-24..2026-12-26");
        check(&format!("{start}\nRRULE:FREQ=DAILY;UNTIL=20261225T225959Z"), "2026-12-24..2026-12-25");
        check(&format!("{start}\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20261224T230000Z"), "2026-12-24 2026-12-26");
    }
    // The last occurrence depends on the zone.
    check(
        "DTSTART;TZID=Mars:20261224T000000\nDURATION:P1D\nRRULE:FREQ=YEARLY;UNTIL=20271223T230000Z",
        "2026-12-24 2027-12-24",
    );
    check("DTSTART;TZID=Mars:20261224T000000\nDTEND;TZID=Mars:20261225T000000", "2026-12-24");
}

#[test]
fn zones_may_be_described_in_the_file() {
    let rules = "BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
                 RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\n\
                 TZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n";
    let fixed = "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0200\nEND:STANDARD\n";
    for described in [rules, fixed, "X-LIC-LOCATION:Europe/Berlin\n"] {
        let zone = format!("BEGIN:VTIMEZONE\nTZID:Customized Time Zone\n{described}END:VTIMEZONE\n");
        let event = "BEGIN:VEVENT\nDTSTART;TZID=Customized Time Zone:20260624T000000\nDURATION:P1D\n\
                     RRULE:FREQ=DAILY;UNTIL=20260625T220000Z\nEND:VEVENT\n";
        check_file(&format!("BEGIN:VCALENDAR\n{zone}{event}END:VCALENDAR\n"), "2026-06-24..2026-06-26");
        check_file(&format!("BEGIN:VCALENDAR\n{event}{zone}END:VCALENDAR\n"), "2026-06-24..2026-06-26");
    }
}

#[test]
fn outlook_marks_whole_days_that_it_writes_as_times() {
    let whole = "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE";
    for start in ["20261225T050000Z", "20261224T230000Z", "20261224T150000Z", "20261225T000000"] {
        check(&format!("DTSTART:{start}\nDURATION:P1D\n{whole}"), "2026-12-25");
        check(&format!("DTSTART:{start}\n{whole}\nRRULE:FREQ=YEARLY;COUNT=2"), "2026-12-25 2027-12-25");
    }
    check(&format!("DTSTART:20261224T230000Z\nDTEND:20261226T230000Z\n{whole}"), "2026-12-25..2026-12-26");
    check("DTSTART:20261225T050000Z\nDTEND:20261226T050000Z\nX-MICROSOFT-CDO-ALLDAYEVENT:FALSE", "");
}

#[test]
fn an_event_that_stands_for_an_occurrence_has_no_rule_of_its_own() {
    let next = "END:VEVENT\nBEGIN:VEVENT\nUID:1";
    let series = format!("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=3\n{next}");
    for rule in ["RRULE:FREQ=YEARLY", "RRULE:FREQ=DAILY;COUNT=9", "RDATE:20280101"] {
        let moved = format!("RECURRENCE-ID;VALUE=DATE:20271225\nDTSTART;VALUE=DATE:20271227\n{rule}");
        check(&format!("{series}\n{moved}"), "2026-12-25 2027-12-27 2028-12-25");
        check(&moved, "2027-12-27");
    }
    let timed = format!("DTSTART;TZID=Europe/Berlin:20261225T000000\nDURATION:P1D\nRRULE:FREQ=YEARLY;COUNT=3\n{next}");
    for id in [":20271224T230000Z", ";TZID=Europe/London:20271224T230000", ";VALUE=DATE:20271225", ":20271225T000000"] {
        check(&format!("{timed}\nRECURRENCE-ID{id}\nSTATUS:CANCELLED"), "2026-12-25 2028-12-25");
    }
    check(&format!("{series}\nRECURRENCE-ID:20271225T000000Z\nSTATUS:CANCELLED"), "2026-12-25 2028-12-25");
}

#[test]
fn an_event_may_stand_for_all_later_ones() {
    let series = "DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;COUNT=3\nEND:VEVENT\nBEGIN:VEVENT\nUID:1";
    let later = format!("{series}\nRECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20271224");
    check(&format!("{later}\nDTSTART;VALUE=DATE:20271226"), "2026-12-24 2027-12-26 2028-12-26");
    check(
        &format!("{later}\nDTSTART;VALUE=DATE:20271224\nDURATION:P2D"),
        "2026-12-24 2027-12-24..2027-12-25 2028-12-24..2028-12-25",
    );
    check(&format!("{later}\nSTATUS:CANCELLED"), "2026-12-24");
}

#[test]
fn periods_and_dates_of_another_type_are_added_and_left_out() {
    check(
        "DTSTART:20261225\nRDATE;VALUE=PERIOD:20270101/P2D,20270201T000000/20270202T000000",
        "2026-12-25 2027-01-01..2027-01-02 2027-02-01",
    );
    let timed = "DTSTART;TZID=America/New_York:20261225T000000\nDURATION:P1D\nRRULE:FREQ=YEARLY;COUNT=3";
    check(&format!("{timed}\nEXDATE;VALUE=DATE:20271225"), "2026-12-25 2028-12-25");
    check(&format!("{timed}\nEXDATE:20271225T050000Z"), "2026-12-25 2028-12-25");
    let whole = "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=3";
    for left_out in ["EXDATE:20271225T000000Z", "EXDATE;TZID=Europe/Berlin:20271225T000000", "EXDATE:20271224T230000Z"]
    {
        check(&format!("{whole}\n{left_out}"), "2026-12-25 2028-12-25");
    }
}

#[test]
fn files_are_copied_filled_up_and_put_together() {
    let file = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Fête\nDTSTART:20261225\nEND:VEVENT\nEND:VCALENDAR\n";
    let next = file.replace("20261225", "20271225");
    check_file(&format!("\u{feff}{file}\u{feff}{next}"), "2026-12-25 2027-12-25");
    check_file(&format!("\n\n{file}\0\0\0\0\x1a"), "2026-12-25");
    check_file(&file.replace('\n', "\r"), "2026-12-25");
    check_file(&file.replace('\n', "\r\r\n"), "2026-12-25");
    check_file(&file.replace('\n', "\n\n").to_lowercase(), "2026-12-25");
    check_file(&file.replace("DTSTART:2026", "DTSTART:2\r\n\t026"), "2026-12-25");
    check_file(
        &file.replace("BEGIN:VEVENT", "CALSCALE:\nX-WR-TIMEZONE:\nX_ODD:x\nBEGIN:VEVENT\nTRANSP:TRANSPARENT"),
        "2026-12-25",
    );
    let wide: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin: Vec<u8> = file.chars().map(|character| character as u8).collect();
    let fete = Selection { include: vec![Regex::new("^Fête$").unwrap()], exclude: Vec::new() };
    for bytes in [wide, latin] {
        let calendar = read(&bytes, &fete, &mut Budget::default());
        assert_eq!((calendar.days.len(), calendar.unmatched.len(), calendar.mistakes), (1, 0, Mistakes::default()));
    }
}

#[test]
fn events_are_chosen_by_their_names_and_categories() {
    let event = |day: u8, lines: &str| format!("BEGIN:VEVENT\nDTSTART:202612{day:02}\n{lines}\nEND:VEVENT\n");
    let file = format!(
        "BEGIN:VCALENDAR\n{}{}{}{}{}END:VCALENDAR\n",
        event(1, "SUMMARY:Washington\\, Presidents' Day\nCATEGORIES:Holidays,Federal holiday"),
        event(3, "SUMMARY;LANGUAGE=en:Flag Day (observance)\nCATEGORIES:Federal holiday"),
        event(5, "SUMMARY:Groundhog Day"),
        event(7, "SUMMARY:Working day (make-up)\nDTSTART:x"),
        event(9, "DESCRIPTION:Federal"),
    );
    let check = |include: &[&str], exclude: &[&str], days: &[i8], unmatched: &[&str], mistakes| {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Regex::new(text).unwrap()).collect();
        let selection = Selection { include: patterns(include), exclude: patterns(exclude) };
        let calendar = read(file.as_bytes(), &selection, &mut Budget::default());
        assert_eq!(
            calendar.days.iter().map(|days| days.first.day()).collect::<Vec<_>>(),
            days,
            "{include:?} {exclude:?}"
        );
        assert_eq!(calendar.unmatched, unmatched);
        assert_eq!(calendar.mistakes.first().len(), mistakes, "events that nobody chose are no concern of anyone");
    };
    check(&[], &[], &[1, 3, 5, 9], &[], 1);
    check(&["(?i)federal"], &["(?i)observance"], &[1], &[], 0);
    check(&["^Federal holiday$"], &[], &[1, 3], &[], 0);
    check(&["^Washington, P", "Groundhog"], &[], &[1, 5], &[], 0);
    check(&[], &["make-up"], &[1, 3, 5, 9], &[], 0);
    check(&["Easter", "Flag"], &[], &[3], &["Easter"], 0);
    check(&["Flag"], &["."], &[], &[], 0);
}

#[test]
fn an_event_that_is_not_chosen_still_moves_another() {
    let file = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:Holiday\nDTSTART:20261225\nRRULE:FREQ=YEARLY;COUNT=2\n\
                END:VEVENT\nBEGIN:VEVENT\nUID:1\nSUMMARY:Make-up\nRECURRENCE-ID:20271225\nDTSTART:20271227\nEND:VEVENT\n\
                END:VCALENDAR\n";
    let selection = Selection { include: vec![Regex::new("Holiday").unwrap()], exclude: Vec::new() };
    assert_eq!(read(file.as_bytes(), &selection, &mut Budget::default()).days.len(), 1);
}
