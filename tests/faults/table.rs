//! The table as Markdown, and whether the documentation has it.

use std::{env, fs};

use regex::Regex;

use crate::{
    outcome::{Outcome, Seen},
    row::{Lasts, Others, Row, Way},
};

/// The whole table.
pub(crate) fn markdown(rows: &[Row], outcomes: &[Outcome]) -> String {
    let mut table = String::from(HEAD);
    for (row, outcome) in rows.iter().zip(outcomes) {
        let cells = [
            row.name.to_owned(),
            lasts(row, outcome),
            says(outcome),
            pair(outcome, values),
            requests(row, outcome),
            if outcome.others() == Others::Nothing { "nothing".to_owned() } else { "the same".to_owned() },
            if row.setting.way == Way::NoName {
                "not measured".to_owned()
            } else {
                pair(outcome, |seen| seen.fresh_after.map_or_else(|| "never".to_owned(), duration))
            },
        ];
        table += &format!("| {} |\n", cells.join(" | "));
    }
    table
}

/// Fails when the documentation says something else than what was measured; or writes it there when that is asked for.
pub(crate) fn check_documentation(table: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/FAULTS.md");
    let text = fs::read_to_string(path).unwrap();
    let begin = text.find(HEAD).expect("docs/FAULTS.md has the table's head");
    let length = text[begin..].find("\n\n").map_or(text.len() - begin, |end| end + 1);
    let documented = &text[begin..begin + length];
    if env::var_os(RENEW).is_some() {
        fs::write(path, text.replacen(documented, table, 1)).unwrap();
        return;
    }
    let lines = documented.lines().count().max(table.lines().count());
    for index in 0..lines {
        let line = |text: &str| text.lines().nth(index).unwrap_or_default().to_owned();
        let (documented, measured) = (line(documented), line(table));
        assert!(
            are_alike(&documented, &measured),
            "docs/FAULTS.md says something else than what was measured; `make renew-faults` puts it right:\n\
             {documented}\n{measured}"
        );
    }
}

/// Whether two lines say the same. Numbers may differ by as much as the time of one attempt moves them: a busy machine may
/// put an attempt behind the moment that ends the trouble, and the next comes a back-off later.
fn are_alike(one: &str, other: &str) -> bool {
    let cells = |line: &str| line.trim_matches(['|', ' ']).split(" | ").map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (cells(one), cells(other));
    ours.len() == theirs.len()
        && ours.iter().zip(&theirs).enumerate().all(|(index, (one, other))| {
            let slack = if [VALUES, FRESH].contains(&index) { LONGEST_BACK_OFF } else { SECONDS };
            let (one, other) = (for_both_reports(one, other), for_both_reports(other, one));
            cells_are_alike(&one, &other, slack)
        })
}

/// The cell, written for each report if the other cell is: two numbers that are equal by chance stand there once.
fn for_both_reports(cell: &str, other: &str) -> String {
    let (first, rest) =
        cell.split_once("; ").map_or((cell, String::new()), |(first, rest)| (first, format!("; {rest}")));
    if other.contains(" / ") && !cell.contains(" / ") { format!("{first} / {first}{rest}") } else { cell.to_owned() }
}

/// Whether the words are the same and the numbers differ by no more than this many seconds or a few requests.
fn cells_are_alike(one: &str, other: &str, slack: i64) -> bool {
    let number = Regex::new(r"\b([0-9]+)( s| min| h)?\b").unwrap();
    // With how much they may differ.
    let numbers = |cell: &str| -> Vec<(i64, i64)> {
        let read = |found: regex::Captures<'_>| {
            let (seconds, least) = match found.get(2).map(|unit| unit.as_str()) {
                Some(" h") => (3600, slack),
                Some(" min") => (60, slack),
                Some(_) => (1, slack),
                None => (1, REQUESTS),
            };
            let number = found[1].parse::<i64>().unwrap() * seconds;
            (number, least.max(number / 10))
        };
        number.captures_iter(cell).map(read).collect()
    };
    let words = |cell: &str| number.replace_all(cell, "#").replace("less than ", "");
    let (ours, theirs) = (numbers(one), numbers(other));
    words(one) == words(other)
        && ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|((one, most), (other, _))| (one - other).abs() <= *most)
}

fn lasts(row: &Row, outcome: &Outcome) -> String {
    match row.lasts {
        Lasts::Moment => "a moment".to_owned(),
        Lasts::Minutes(minutes) => duration(60 * minutes),
        Lasts::UntilRefill(_) => format!("until it is full, {}", duration(outcome.lasted)),
    }
}

/// What `/metrics` says: the reasons, the closed buckets, and the rest.
fn says(outcome: &Outcome) -> String {
    let reasons = |seen: &Seen| {
        if seen.reasons.is_empty() {
            "up".to_owned()
        } else {
            seen.reasons.iter().map(|reason| format!("`{reason}`")).collect::<Vec<_>>().join(", then ")
        }
    };
    let mut all = vec![pair(outcome, reasons)];
    all.extend(outcome.closed.iter().map(|(bucket, seconds)| format!("{bucket} closed for {}", duration(*seconds))));
    all.extend(outcome.signs.iter().cloned());
    all.join("; ")
}

/// Of the property; and those for tokens and listings where they are more than usual.
fn requests(row: &Row, outcome: &Outcome) -> String {
    let mut all = vec![pair(outcome, |seen| seen.requests.to_string())];
    if row.setting.way != Way::Straight {
        all.push(format!("{} tried for all properties", outcome.attempts));
    }
    let hours = usize::try_from(outcome.lasted / 3600).unwrap();
    if outcome.sign_in > 2 * hours + 2 {
        all.push(format!("token {}", outcome.sign_in));
    }
    if outcome.listings > hours + 1 {
        all.push(format!("listing {}", outcome.listings));
    }
    all.join("; ")
}

/// One cell for both reports: once where they do not differ.
fn pair(outcome: &Outcome, cell: impl Fn(&Seen) -> String) -> String {
    let [realtime, traffic] = outcome.reports.each_ref().map(cell);
    if realtime == traffic { realtime } else { format!("{realtime} / {traffic}") }
}

fn values(seen: &Seen) -> String {
    match seen.gone_after {
        None => "stay".to_owned(),
        Some(0) if seen.fresh_after.is_none() => "none".to_owned(),
        Some(0) => format!("gone at once, for {}", duration(seen.gone_for)),
        Some(after) => format!("gone after {}, for {}", duration(after), duration(seen.gone_for)),
    }
}

/// Rounded, so that it says no more than is true.
fn duration(seconds: i64) -> String {
    if seconds == 0 {
        "less than 10 s".to_owned()
    } else if seconds < 90 {
        format!("{seconds} s")
    } else if seconds < 2 * 3600 || seconds % 3600 != 0 {
        format!("{} min", (seconds + 30) / 60)
    } else {
        format!("{} h", seconds / 3600)
    }
}

const HEAD: &str = "\
| what goes wrong | for | `/metrics` says | values | requests sent | other properties notice | fresh again after |
|---|---|---|---|---|---|---|
";

/// When set, the documentation is written instead of compared.
const RENEW: &str = "FAULTS_RENEW";

/// How far times may differ, in seconds: pauses in a row add up, and a busy machine takes its time with a connection.
const SECONDS: i64 = 100;

/// How far counts may differ.
const REQUESTS: i64 = 3;

/// The longest pause after failures, and what counts as the same.
const LONGEST_BACK_OFF: i64 = 300 + SECONDS;

/// The cells whose numbers depend on when the last attempt within the trouble was.
const VALUES: usize = 3;

const FRESH: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_differences_in_numbers_are_not_told() {
        assert!(are_alike("| gone after 3 min | 12 |", "| gone after 175 s | 13 |"));
        assert!(!are_alike("| gone after 3 min |", "| gone after 5 min |"));
        let with_recovery =
            |after| format!("| a body without an end | 60 min | up | gone for 61 min | 19 | nothing | {after} |");
        assert!(are_alike(&with_recovery("4 min"), &with_recovery("less than 10 s")));
        assert!(!are_alike(&with_recovery("4 min"), &with_recovery("11 min")));
        assert!(!are_alike("| `timeout` |", "| `connection` |"));
        let fresh = |after| format!("| an expired certificate | 60 min | up | 3 | 0; 70 tried | the same | {after} |");
        assert!(are_alike(&fresh("2 min / 60 s"), &fresh("60 s")));
        assert!(!are_alike(&fresh("20 min / 60 s"), &fresh("60 s")));
        assert!(are_alike("| 3 / 4; 70 tried |", "| 4; 70 tried |"));
        assert!(!are_alike("| 3 / 9; 70 tried |", "| 3; 70 tried |"));
        assert!(!are_alike("| 3 |", "| stay |"));
        assert!(!are_alike("| 3 |", "| 9 |"));
    }
}
