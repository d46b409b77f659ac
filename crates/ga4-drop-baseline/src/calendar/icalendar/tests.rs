use jiff::civil::date;
use proptest::prelude::*;

use super::*;

/// Returns a calendar with one event that has these lines.
fn event(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\nBEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
}

/// Returns the days of a calendar until the end of 2030, one word per range.
fn text(calendar: &Calendar) -> String {
    let words = calendar
        .days
        .iter()
        .filter(|days| days.first < date(2031, 1, 1))
        .map(|Days { first, last }| if first == last { first.to_string() } else { format!("{first}..{last}") });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the mistakes, one per line.
fn mistakes(calendar: &Calendar) -> String {
    calendar.mistakes.first().iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
}

fn read(bytes: &[u8]) -> Calendar {
    super::read(bytes, &Selection::default(), &mut Budget::default())
}

/// Checks the days of a file that has no mistakes.
#[track_caller]
fn check_file(file: &[u8], expected: &str) {
    let calendar = read(file);
    let file = String::from_utf8_lossy(file);
    assert_eq!((text(&calendar).as_str(), mistakes(&calendar).as_str()), (expected, ""), "{file}");
}

#[track_caller]
fn check(lines: &str, expected: &str) {
    check_file(event(lines).as_bytes(), expected);
}

/// Checks that this event is left out while another one is read.
#[track_caller]
fn check_left_out(lines: &str, expected: &str) {
    let other = "END:VEVENT\nBEGIN:VEVENT\nDTSTART:20300101";
    let calendar = read(event(&format!("{lines}\n{other}")).as_bytes());
    let found = mistakes(&calendar);
    assert!(found.starts_with("line ") && found.contains(expected) && found.contains(';'), "{lines}\n{found}");
    assert!(found.contains(": the event is left out: "), "{found}");
    assert_eq!(text(&calendar), "2030-01-01", "{lines}");
}

#[test]
fn whole_days_end_before_their_end() {
    check("DTSTART;VALUE=DATE:20261225", "2026-12-25");
    check("DTSTART:20261225", "2026-12-25");
    check("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "2026-12-24..2026-12-26");
    check("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261225", "2026-12-25");
    check("DTSTART;VALUE=DATE:20261231\nDURATION:P2D", "2026-12-31..2027-01-01");
    check("DTSTART;VALUE=DATE:20261231\nDURATION:P1W", "2026-12-31..2027-01-06");
}

#[test]
fn timed_events_have_the_days_that_they_take_most_of() {
    check("DTSTART:20261224T180000\nDTEND:20261224T220000", "");
    check("DTSTART:20261224T000000\nDTEND:20261224T200000", "2026-12-24");
    check("DTSTART:20261224T000000\nDTEND:20261224T195959", "");
    check("DTSTART:20261224T000000\nDTEND:20261224T235900", "2026-12-24");
    check("DTSTART:20261224T120000\nDTEND:20261227T120000", "2026-12-25..2026-12-26");
    check("DTSTART:20261224T030000\nDURATION:PT21H", "2026-12-24");
    check("DTSTART:20261224T000000\nDURATION:P1DT20H", "2026-12-24..2026-12-25");
    check("DTSTART:20261224T000000", "");
}

#[test]
fn times_are_those_of_the_events_own_clock() {
    check("DTSTART;TZID=America/New_York:20261225T000000\nDTEND;TZID=America/New_York:20261226T000000", "2026-12-25");
    check(
        "DTSTART;TZID=W. Europe Standard Time:20261225T000000\nDTEND;TZID=W. Europe Standard Time:20261226T000000",
        "2026-12-25",
    );
    check("DTSTART;TZID=\"America/New_York\":20261225T000000\nDTEND:20261226T050000Z", "2026-12-25");
    check("DTSTART;TZID=Europe/Berlin:20261225T000000\nDTEND;TZID=Europe/London:20261225T230000", "2026-12-25");
    check("DTSTART:20261225T000000Z\nDTEND:20261226T000000Z", "2026-12-25");
    let lines = "DTSTART:20261225T050000Z\nDTEND:20261226T050000Z";
    check(lines, "");
    let in_new_york = event(lines).replace("PRODID", "X-WR-TIMEZONE:America/New_York\nPRODID");
    check_file(in_new_york.as_bytes(), "2026-12-25");
}

#[test]
fn rules_are_followed_to_their_dates() {
    let yearly = "2026-12-25 2027-12-25 2028-12-25 2029-12-25 2030-12-25";
    for (start, rule, expected) in [
        ("20261225", "FREQ=YEARLY", yearly),
        ("20261225", "freq=yearly;bymonth=12;bymonthday=25", yearly),
        ("20261225", "FREQ=YEARLY;COUNT=2", "2026-12-25 2027-12-25"),
        ("20261225", "FREQ=YEARLY;COUNT=1", "2026-12-25"),
        ("20261225", "FREQ=YEARLY;UNTIL=20281225", "2026-12-25 2027-12-25 2028-12-25"),
        ("20261225", "FREQ=YEARLY;UNTIL=20281224T235959Z", "2026-12-25 2027-12-25"),
        ("20261225", "FREQ=YEARLY;UNTIL=20261224", ""),
        ("20261225", "FREQ=YEARLY;INTERVAL=3", "2026-12-25 2029-12-25"),
        ("20240229", "FREQ=YEARLY", "2024-02-29 2028-02-29"),
        ("20261126", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3", "2026-11-26 2027-11-25 2028-11-23"),
        ("20260525", "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;COUNT=3", "2026-05-25 2027-05-31 2028-05-29"),
        ("20260525", "FREQ=YEARLY;BYDAY=MO;BYMONTH=5;BYSETPOS=-1;COUNT=3", "2026-05-25 2027-05-31 2028-05-29"),
        (
            "20261103",
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
            "2026-11-03 2028-11-07 2030-11-05",
        ),
        ("20260101", "FREQ=YEARLY;BYDAY=1TH;COUNT=2", "2026-01-01 2027-01-07"),
        ("20261231", "FREQ=YEARLY;BYDAY=-1TH;COUNT=2", "2026-12-31 2027-12-30"),
        ("20260131", "FREQ=MONTHLY;COUNT=3", "2026-01-31 2026-03-31 2026-05-31"),
        ("20260131", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", "2026-01-31 2026-02-28 2026-03-31"),
        ("20260113", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=3", "2026-01-13 2026-02-13 2026-03-13"),
        ("20260601", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=4", "2026-06-01 2026-06-03 2026-06-15 2026-06-17"),
        (
            "20260607",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=4",
            "2026-06-07..2026-06-08 2026-06-21..2026-06-22",
        ),
        ("20260607", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;COUNT=4", "2026-06-07 2026-06-15 2026-06-21 2026-06-29"),
        ("20261224", "FREQ=DAILY;COUNT=3", "2026-12-24..2026-12-26"),
        ("20261224", "FREQ=DAILY;INTERVAL=2;BYMONTH=12;UNTIL=20270601", "2026-12-24 2026-12-26 2026-12-28 2026-12-30"),
        // The start counts, even if the rule does not match it.
        ("20260101", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=3", "2026-01-01 2026-11-26 2027-11-25"),
    ] {
        check(&format!("DTSTART;VALUE=DATE:{start}\nRRULE:{rule}"), expected);
    }
    let found = read(event("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY").as_bytes());
    assert_eq!(found.days.last(), Some(&Days { first: date(2099, 12, 25), last: date(2099, 12, 25) }));
}

#[test]
fn the_end_of_a_rule_is_read_by_the_events_clock() {
    let lines =
        |until| format!("DTSTART;TZID=Europe/Berlin:20261224T000000\nDURATION:P1D\nRRULE:FREQ=DAILY;UNTIL={until}");
    check(&lines("20261225T230000Z"), "2026-12-24..2026-12-26");
    check(&lines("20261225T225959Z"), "2026-12-24..2026-12-25");
    check(&lines("20261226T000000"), "2026-12-24..2026-12-26");
    check(&lines("20261226"), "2026-12-24..2026-12-26");
}

#[test]
fn dates_are_added_and_left_out() {
    let rule = "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=4";
    check(&format!("{rule}\nEXDATE;VALUE=DATE:20271225"), "2026-12-25 2028-12-25 2029-12-25");
    check(&format!("{rule}\nEXDATE:20271225,20281225\nEXDATE:20261225"), "2029-12-25");
    check("DTSTART;VALUE=DATE:20260403\nRDATE;VALUE=DATE:20270326,20280414", "2026-04-03 2027-03-26 2028-04-14");
    check("DTSTART:20260403\nDURATION:P2D\nRDATE:20270326\nEXDATE:20260403", "2027-03-26..2027-03-27");
    check("DTSTART;TZID=Europe/Berlin:20261224T000000\nDURATION:P1D\nRDATE:20270101T230000Z", "2026-12-24 2027-01-02");
}

#[test]
fn cancelled_events_are_left_out() {
    check("DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", "");
    check("DTSTART;VALUE=DATE:20261225\nSTATUS:CONFIRMED", "2026-12-25");
    check("DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=SECONDLY\nSTATUS:cancelled", "");
}

#[test]
fn an_occurrence_is_moved_or_cancelled_by_another_event() {
    let series = "DTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=3\nEND:VEVENT\nBEGIN:VEVENT\nUID:1\n";
    check(
        &format!("{series}RECURRENCE-ID;VALUE=DATE:20271225\nDTSTART;VALUE=DATE:20271227"),
        "2026-12-25 2027-12-27 2028-12-25",
    );
    check(&format!("{series}RECURRENCE-ID;VALUE=DATE:20271225\nSTATUS:CANCELLED"), "2026-12-25 2028-12-25");
    let other = series.replace("UID:1", "UID:2");
    check(
        &format!("{other}RECURRENCE-ID;VALUE=DATE:20271225\nDTSTART;VALUE=DATE:20271227"),
        "2026-12-25 2027-12-25 2027-12-27 2028-12-25",
    );
}

#[test]
fn lines_may_be_folded_and_end_as_on_windows() {
    let unfolded = event("SUMMARY:Weihnachten äöü; a: b\nDTSTART;VALUE=DATE:20261225\nRRULE:FREQ=YEARLY;COUNT=2");
    let mut folded = BYTE_ORDER_MARK.to_vec();
    // Lines may be folded between the bytes of a character.
    for line in unfolded.lines() {
        folded.extend(line.as_bytes().chunks(7).collect::<Vec<_>>().join(&b"\r\n "[..]));
        folded.extend(b"\r\n");
    }
    folded.extend(b"\r\n");
    check_file(&folded, "2026-12-25 2027-12-25");
    check_file(unfolded.as_bytes(), "2026-12-25 2027-12-25");
}

#[test]
fn what_is_no_event_tells_nothing_about_days() {
    let calendar = "BEGIN:VCALENDAR\nX-FOO;A=\"b:c;d\":e\nBEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:16010101T000000\n\
                    RRULE:FREQ=YEARLY\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VTODO\nDTSTART:20260101\nEND:VTODO\nBEGIN:VEVENT\n\
                    DTSTART:20261225\nBEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:x\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n";
    check_file(calendar.as_bytes(), "2026-12-25");
    let two = format!("{calendar}{}", calendar.replace("20261225", "20271225").to_lowercase());
    check_file(two.as_bytes(), "2026-12-25 2027-12-25");
    check_file(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "");
}

#[test]
fn an_event_that_is_not_understood_is_named_with_its_line_and_left_out() {
    for (lines, expected) in [
        ("SUMMARY:x", "line 4: the event is left out: this event has no `DTSTART`; add"),
        ("DTSTART:", "this event has no `DTSTART`; add"),
        ("DTSTART:20260229", "line 6: the event is left out: `DTSTART`: `20260229` is no date or time; write"),
        ("DTSTART:20261225T24", "is no date or time"),
        ("DTSTART:20261225\nDTSTART:20261226", "line 7: the event is left out: `DTSTART`: this stands twice"),
        ("DTSTART:20261225\nDTEND:20261224", "`DTEND`: the event ends before it begins"),
        ("DTSTART:20261225\nDTEND:20261224T235900", "`DTEND`: the event ends before it begins"),
        ("DTSTART:20261225\nDURATION:P1M", "`P1M` is no length of an event"),
        ("DTSTART:20261225\nDURATION:-P1D", "`-P1D` is no length of an event"),
        ("DTSTART:20261225\nDURATION:1 day", "is no length of an event"),
        ("DTSTART:20261225\nDURATION:P99999999999W", "is no length of an event"),
        ("DTSTART:20260101\nDTEND:20270101", "this event is 365 days long, and quiet are 183 days at most"),
        ("DTSTART:20261225\nRRULE:FREQ=HOURLY", "`FREQ=HOURLY` is not understood; write `FREQ=YEARLY`"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYWEEKNO=20", "`BYWEEKNO=20` is not understood; write the days in other"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYDAY=5XX", "`BYDAY=5XX` is not understood; write weekdays such as"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYDAY=ä", "is not understood"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYMONTH=13", "write months from 1 to 12"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;BYMONTHDAY=0", "write days from 1 to 31"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;INTERVAL=-1", "write a whole number from 1"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;COUNT=-2", "write a whole number from 1"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;UNTIL=never", "`never` is no date or time"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;FREQ=DAILY", "`FREQ=DAILY` stands beside another of its kind"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;SKIP=FORWARD", "`SKIP=FORWARD` is not understood"),
        ("DTSTART:20261225\nRRULE:FREQ=YEARLY;yes", "`yes` is not understood"),
        ("DTSTART:20261225T000000\nRRULE:FREQ=YEARLY;BYHOUR=0,12", "`BYHOUR=0,12` is not understood; leave it out"),
        ("DTSTART:20261225\nRRULE:BYMONTH=1", "there is no `FREQ`"),
        ("DTSTART:20261225\nEXRULE:FREQ=YEARLY", "`EXRULE`: such rules are out of use"),
        ("DTSTART:20261225\nRECURRENCE-ID:x", "`RECURRENCE-ID`: `x` is no date or time"),
        ("DTSTART;TZID=Mars:20261225T000000\nDTEND:20261225T000000Z", "the time zone `Mars` is not known here"),
    ] {
        check_left_out(lines, expected);
    }
}

#[test]
fn a_line_that_is_not_understood_costs_no_more_than_itself() {
    for (lines, expected) in [
        ("DTSTART:20261225\nno colon", "line 7: this line is not `NAME:value`; begin it with a blank"),
        ("DTSTART:20261225\nA B:c", "line 7: this line is not `NAME:value`"),
        ("DTSTART:20261225\nEND:VTODO", "line 7: `END:VTODO` ends nothing that has begun; remove it"),
        ("DTSTART:20261225\nBEGIN:VALARM\nDTSTART:x", "line 7: `VALARM` has no end; add `END:VALARM`"),
        ("DTSTART:20261225\nBEGIN:VTODO\nDTSTART:x\nEND:VTODO", "line 4: `VEVENT` has no end; add `END:VEVENT`"),
        ("DTSTART:20261225\nRDATE:x", "line 7: `RDATE`: `x` is no date or time"),
        ("DTSTART:20261225\nEXDATE:x", "line 7: `EXDATE`: `x` is no date or time"),
    ] {
        let calendar = read(event(lines).as_bytes());
        assert!(mistakes(&calendar).contains(expected), "{lines}: {}", mistakes(&calendar));
        assert_eq!(text(&calendar), "2026-12-25", "{lines}");
    }
}

#[test]
fn a_file_that_is_no_calendar_or_cut_off_has_what_it_has() {
    let whole = event("DTSTART:20261225");
    for (file, days, expected) in [
        ("<!DOCTYPE html>\n<html lang=\"en\">\n".to_owned(), "", "line 1: this is not an iCalendar file"),
        (String::new(), "", "line 1: this is not an iCalendar file"),
        ("\n\n".to_owned(), "", "line 1: this is not an iCalendar file"),
        ("DTSTART:20261225\n".to_owned(), "", "line 1: this is not an iCalendar file"),
        (
            "BEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\n".to_owned(),
            "2026-12-25",
            "line 1: the file has something before",
        ),
        (
            format!("Content-Type: text/calendar\n{whole}<!-- served -->\n"),
            "2026-12-25",
            "line 1: the file has something",
        ),
        (whole.replace("END:VCALENDAR\n", ""), "2026-12-25", "line 1: `VCALENDAR` has no end; the file may be cut off"),
        (whole.replace("END:VCALENDAR\n", "BEGIN:VEVENT\nDTSTART:202612"), "2026-12-25", "line 8: `VEVENT` has no end"),
        (whole.replace("PRODID", "CALSCALE:HEBREW\nPRODID"), "", "line 3: the calendar `HEBREW` is not known"),
        (
            whole.replace("PRODID", "X-WR-TIMEZONE:Mars\nPRODID"),
            "2026-12-25",
            "`Mars` is not known here, so UTC is used",
        ),
    ] {
        let calendar = read(file.as_bytes());
        assert!(mistakes(&calendar).contains(expected), "{file}\n{}", mistakes(&calendar));
        assert_eq!(text(&calendar), days, "{file}");
    }
}

#[test]
fn components_may_be_as_deep_as_they_are_many() {
    let deep =
        |depth: usize| event(&format!("DTSTART:20261225\n{}{}", "BEGIN:X\n".repeat(depth), "END:X\n".repeat(depth)));
    check_file(deep(6).as_bytes(), "2026-12-25");
    let calendar = read(deep(50_000).as_bytes());
    assert_eq!(text(&calendar), "2026-12-25");
    assert_eq!(calendar.mistakes.first().len() + calendar.mistakes.more(), 2 * (50_000 - 6));
}

#[test]
fn a_message_is_short_whatever_the_file_says() {
    let long = "x".repeat(100_000);
    for lines in [
        format!("DTSTART:{long}"),
        format!("DTSTART;VALUE={long}:x"),
        format!("DTSTART;TZID={long}:20261225T000000\nDTEND:20261226T000000Z"),
        format!("DTSTART:20261225\nDURATION:{long}"),
        format!("DTSTART:20261225\nRRULE:FREQ=YEARLY;{long}"),
        format!("DTSTART:20261225\nRRULE:FREQ=YEARLY;WKST=SU;WKST=MO;UNTIL={long}"),
        format!("DTSTART:20261225\nEXDATE:{long}"),
        format!("DTSTART:20261225\nBEGIN:{long}"),
        format!("DTSTART:20261225\nEND:{long}"),
        format!("{long}:x\nDTSTART:20261225;{long}"),
    ] {
        let message = mistakes(&read(event(&lines).as_bytes()));
        assert!(message.starts_with("line ") && message.len() < 500, "{}", message.len());
    }
}

#[test]
fn each_event_tells_its_mistake_and_the_others_count() {
    let wrong = "DTSTART:x\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:y";
    let calendar = read(event(wrong).as_bytes());
    assert_eq!(calendar.mistakes.first().iter().map(Mistake::line).collect::<Vec<_>>(), [6, 12]);
    assert_eq!(text(&calendar), "2026-12-25");
}

#[test]
fn an_event_that_would_take_for_ever_is_left_out() {
    // There are 27,028 days until the end of 2099.
    for (rule, enough, scarce) in [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", (27_028, 0), (27_027, 0)),
        ("FREQ=DAILY", (27_028, 27_027), (27_028, 27_026)),
    ] {
        let calendar = event(&format!("DTSTART:20260101\nRRULE:{rule}"));
        let within =
            |(steps, days)| read_within(calendar.as_bytes(), &Selection::default(), &mut Budget::new(steps, days));
        assert!(text(&within(enough)).starts_with("2026-01-01"), "{rule}");
        assert_eq!(mistakes(&within(enough)), "");
        let expected = "line 4: the event is left out: the calendars come to too many days with this event; end it";
        assert!(mistakes(&within(scarce)).starts_with(expected), "{rule}: {}", mistakes(&within(scarce)));
    }
    let file =
        event("DTSTART:20260101\nRRULE:FREQ=DAILY\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20260101\nRRULE:FREQ=YEARLY");
    let calendar = read_within(file.as_bytes(), &Selection::default(), &mut Budget::new(1_000_000, 100));
    assert!(text(&calendar).starts_with("2026-01-01 2027-01-01 "), "what others come to still counts");
}

#[test]
fn calendars_share_one_budget_and_each_leaves_half_of_it() {
    let daily = event("DTSTART:20260101\nRRULE:FREQ=DAILY");
    let mut budget = Budget::new(1_000_000, 2 * 27_027);
    let mut days = || text(&super::read(daily.as_bytes(), &Selection::default(), &mut budget)).len();
    assert_eq!([days() > 0, days() > 0], [true, false], "the second one finds a quarter of what there was");
    let once = event("DTSTART:20260101");
    let found = super::read(once.as_bytes(), &Selection::default(), &mut budget);
    assert_eq!((text(&found).as_str(), mistakes(&found).as_str()), ("2026-01-01", ""));
}

#[test]
fn calendars_that_are_too_large_together_are_left_out_with_a_word() {
    let large = event(&format!("DTSTART:20260101\nX:{}", "x".repeat(1 << 20)));
    let mut budget = Budget::default();
    let all: Vec<_> = (0..20).map(|_| super::read(large.as_bytes(), &Selection::default(), &mut budget)).collect();
    let (read, left_out) = all.split_at(15);
    assert!(read.iter().all(|calendar| text(calendar) == "2026-01-01" && mistakes(calendar).is_empty()));
    for calendar in left_out {
        assert_eq!(text(calendar), "");
        assert_eq!(mistakes(calendar), format!("line 1: {TOO_LARGE}"));
    }
    let small = event("DTSTART:20260101");
    assert_eq!(text(&super::read(small.as_bytes(), &Selection::default(), &mut budget)), "2026-01-01");
    assert_eq!(TOO_LARGE.matches("16 MiB").count() << 24, budget::MAX_BYTES);
}

#[test]
fn what_a_rule_or_pattern_costs_grows_with_its_length() {
    let list =
        |count: usize| event(&format!("DTSTART:20260101\nRRULE:FREQ=DAILY;BYYEARDAY={}", vec!["366"; count].join(",")));
    let within = |file: &str, steps| {
        let calendar = read_within(file.as_bytes(), &Selection::default(), &mut Budget::new(steps, 1_000));
        mistakes(&calendar)
    };
    assert_eq!(within(&list(15), 27_028), "");
    assert!(within(&list(160), 10 * 27_028).contains("too many days"));
    assert_eq!(within(&list(160), 11 * 27_028), "");
    assert!(within(&list(801), u32::MAX).contains("`BYYEARDAY=366,366"));
    let pattern = regex::Regex::new("y").unwrap();
    let selection = Selection { include: vec![pattern; 16], exclude: Vec::new() };
    let file = event(&format!("SUMMARY:{}\nDTSTART:20260101", "y".repeat(999)));
    let chosen = |steps| read_within(file.as_bytes(), &selection, &mut Budget::new(steps, 1_000));
    assert_eq!(text(&chosen(1_000)), "2026-01-01");
    assert!(mistakes(&chosen(999)).contains(TOO_LONG_TEXTS), "{}", mistakes(&chosen(999)));
}

#[test]
fn names_and_parameters_without_end_are_not_looked_up_each_time() {
    let long = "a/".repeat(1_000);
    let described = format!("BEGIN:VTIMEZONE\nTZID:{long}\nX-LIC-LOCATION:Europe/Berlin\nEND:VTIMEZONE");
    let file = event("DTSTART;TZID=Europe/Berlin:20261225T000000")
        .replace("BEGIN:VEVENT", &format!("{described}\nBEGIN:VEVENT"))
        .replace("\nEND:VEVENT", &format!("\nRDATE;TZID={long}:20261226T000000\nEND:VEVENT"));
    assert!(mistakes(&read(file.as_bytes())).contains("is not known here"));
    let many = event(&format!("DTSTART{};VALUE=DATE:20261225T080000\nDURATION:P1D", ";a=b".repeat(64)));
    assert_eq!(text(&read(many.as_bytes())), "", "parameters beyond the limit are not kept");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        check_order(&bytes)?;
    }

    #[test]
    fn any_event_is_read_or_refused(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..30)) {
        check_order(event(&pieces.concat()).as_bytes())?;
    }
}

fn check_order(bytes: &[u8]) -> Result<(), TestCaseError> {
    let calendar = read_within(bytes, &Selection::default(), &mut Budget::new(10_000, 1_000));
    prop_assert!(calendar.days.is_sorted_by(|a, b| a.last < b.first));
    let lines = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
    prop_assert!(calendar.mistakes.first().len() <= MAX_MISTAKES);
    for mistake in calendar.mistakes.first() {
        prop_assert!((1..=lines).contains(&mistake.line()), "{}", mistake);
        prop_assert!(mistake.to_string().chars().count() < 500, "{}", mistake);
    }
    Ok(())
}

const PIECES: &[&str] = &[
    "\n",
    "\r\n ",
    "\nDTSTART:",
    "\nDTEND:",
    "\nDURATION:",
    "\nRRULE:",
    "\nEXDATE:",
    "\nRDATE:",
    "\nRECURRENCE-ID:",
    "\nDTSTART;TZID=Europe/Berlin:",
    "\nDTSTART;VALUE=DATE:",
    "\nEND:VEVENT",
    "\nBEGIN:VEVENT",
    "20261225",
    "99991231",
    "00000101",
    "20261225T080000",
    "20261225T235959Z",
    "P1D",
    "PT20H",
    "P9W",
    "FREQ=YEARLY",
    "FREQ=MONTHLY",
    "FREQ=WEEKLY",
    "FREQ=DAILY",
    ";INTERVAL=",
    ";COUNT=",
    ";UNTIL=",
    ";BYDAY=",
    ";BYMONTH=",
    ";BYMONTHDAY=",
    ";BYSETPOS=",
    "1",
    "-1",
    "53",
    "1000",
    "MO",
    "TH",
    ",",
    ";",
    ":",
    "=",
    "\"",
    "ä",
    "\0",
];

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
