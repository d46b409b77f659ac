//! Traffic as text.

use ga4_exporter_core::csv;
use proptest::{collection, prelude::*, sample};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused_with_its_line(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn anything_like_csv_is_read_or_refused_with_its_line(pieces in collection::vec(sample::select(PIECES), 0..40)) {
        for header in ["local_time,pageviews\n", "time,pageviews\n", "time,pageviews_30m\n"] {
            check(&format!("{header}{}", pieces.concat()))?;
        }
    }

    #[test]
    fn any_counts_come_back(counts in collection::vec(0.0..1e9_f64, 0..100)) {
        let lines: String =
            counts.iter().enumerate().map(|(hour, count)| format!("2026-01-{:02}T{:02}:00,{count}\n", hour / 24 + 1, hour % 24)).collect();
        let history = csv::history(&format!("local_time,pageviews\n{lines}"));
        prop_assert!(history.is_ok(), "{:?}", history.err());
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let lines = text.lines().count().max(1);
    for error in [csv::history(text).err(), csv::minutes(text).err()].into_iter().flatten() {
        prop_assert!((1..=lines).contains(&error.line), "{error}");
        let message = error.to_string();
        prop_assert!(message.chars().count() < 300 && message.lines().count() == 1, "{}", message);
    }
    Ok(())
}

const PIECES: &[&str] = &[
    "\n",
    "\r\n",
    ",",
    " ",
    "2026-01-05T06:00",
    "2026-01-05T06:01",
    "2026-01-05 06:00:00",
    "2026-02-30T24:00",
    "-9999-01-01T00:00",
    "9999-12-31T23:00",
    "2026-01-05T06:00Z",
    "2026-01-05T07:00,1\n",
    "2026-01-05T08:00,1e9\n",
    "0",
    "1.5",
    "-1",
    "1e308",
    "1e999",
    "NaN",
    "inf",
    "\"",
    "\u{feff}",
    "\0",
    "\u{1b}[2J",
    "ä",
    "-----BEGIN PRIVATE KEY-----",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
];
