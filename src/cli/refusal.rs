//! Error messages for a wrong command line, without the secrets that it may contain.

use std::ffi::OsString;

use thiserror::Error as ThisError;

use ga4_exporter_core::shown::{self, Shown};

/// A command line contains a secret.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
#[error(
    "{place} looks like the content of a key file or another secret; everybody on this machine can read a command line: \
     save it in a file that only the exporter's user can read, and give the path of that file"
)]
pub struct Secret {
    place: String,
}

/// Checks that no argument is a key. No valid argument looks like one.
///
/// # Errors
/// The first argument that is a key.
pub fn check(arguments: &[OsString]) -> Result<(), Secret> {
    let texts: Vec<_> = arguments.iter().map(|argument| argument.to_string_lossy()).collect();
    // Skips the path of the program.
    let Some(index) = texts.iter().skip(1).position(|text| shown::is_secret(text)).map(|index| index + 1) else {
        return Ok(());
    };
    let own = texts.get(index).and_then(|text| text.split_once('=')).map(|(flag, _)| flag).filter(|text| is_flag(text));
    let before = index.checked_sub(1).and_then(|before| texts.get(before)).filter(|text| is_flag(text));
    let flag = own.or_else(|| before.map(AsRef::as_ref));
    let place = flag.map_or_else(|| "an argument".to_owned(), |flag| format!("the value of {flag}"));
    Err(Secret { place })
}

/// Returns the parser's message with every argument made safe to show, or `None` if all arguments are safe as they are.
pub fn message(error: &clap::Error, arguments: &[OsString]) -> Option<String> {
    // Removes the colours of the message and the escape sequences of a value.
    let mut clean = error.render().to_string();
    let mut is_changed = false;
    for argument in arguments.iter().skip(1) {
        let argument = argument.to_string_lossy();
        let value = argument.split_once('=').map(|(_, value)| value);
        for given in value.into_iter().chain([argument.as_ref()]) {
            let shown = Shown(&shown::without_user(given)).to_string();
            if shown != given {
                is_changed = true;
                clean = clean.replace(given, &shown);
            }
        }
    }
    is_changed.then_some(clean)
}

/// Returns whether the text has the form of one of this program's flags.
fn is_flag(text: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_lowercase() || "-.".contains(c);
    text.starts_with("--") && text.len() <= LONGEST_FLAG && text.chars().all(is_of_name)
}

const LONGEST_FLAG: usize = 40;

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    fn arguments(list: &[&str]) -> Vec<OsString> {
        list.iter().map(OsString::from).collect()
    }

    #[test]
    fn a_key_is_refused_wherever_it_stands() {
        let key = "-----BEGIN PRIVATE KEY-----\nSECRET";
        let joined = format!("--config.file={key}");
        for (list, place) in [
            (&["x", "--google.credentials-file", key][..], "the value of --google.credentials-file looks"),
            (&["x", &joined], "the value of --config.file looks"),
            (&["x", key], "an argument looks"),
            (&["x", "backtest", "--history", "h.csv", "--quiet-day", key], "the value of --quiet-day looks"),
        ] {
            let message = check(&arguments(list)).unwrap_err().to_string();
            assert!(message.starts_with(place) && !message.contains("SECRET"), "{message}");
        }
        assert_eq!(check(&arguments(&["-----BEGIN x", "--config.file", "a.yml"])), Ok(()));
    }

    #[test]
    fn what_the_parser_repeats_is_cut_and_escaped() {
        let long = "a".repeat(3000);
        for (list, expected) in [
            (["--config.file", "{\"SECRET\": 1}"], "(hidden)"),
            (["--google.property", "x\u{1b}[31m"], "`x`"),
            (["--web.listen-address", "{SECRET}"], "(hidden)"),
            (["--google.data-api-url", "ftp://ann:SECRET@ga.example/"], "ftp://(hidden)@ga.example/"),
            (["--google.admin-api-url", "ann:SECRET@ga.example"], "(hidden)@ga.example"),
            (["--web.external-url", "https://ann:SECRET@ga.example/"], "https://(hidden)@ga.example/"),
            (["--web.telemetry-path", &long], "a…a"),
        ] {
            let arguments = arguments(&["x", list[0], list[1]]);
            let error = Cli::try_parse_from(&arguments).unwrap_err();
            let message = message(&error, &arguments).unwrap();
            assert!(message.contains(expected), "{message}");
            assert!(!message.contains("SECRET") && !message.contains('\u{1b}') && message.len() < 1500, "{message}");
        }
        let plain = arguments(&["x", "--google.property", "G-1"]);
        assert_eq!(message(&Cli::try_parse_from(&plain).unwrap_err(), &plain), None);
    }
}
