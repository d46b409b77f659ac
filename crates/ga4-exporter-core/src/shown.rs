//! Makes foreign texts safe to show: paths, values of flags, messages.
//!
//! People paste the content of a key file where its path belongs, so everything that this program prints, logs or serves about
//! such a text passes through here. Knows what a secret looks like and what cannot be a path; refuses to know where the text
//! came from. Invariant: no part of a text that looks like a secret passes, and the result is one line of bounded length
//! without control characters.

use std::{
    fmt::{self, Write as _},
    path::{Path, PathBuf},
};

use thiserror::Error as ThisError;

/// A path for messages: escaped, and cut in the middle if it is long. Content in place of a path is hidden.
#[derive(Clone, Copy, Debug)]
pub struct ShownPath<'a>(pub &'a Path);

/// Another given text, in the same way.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a str);

/// Why a text is not the path of a file. Quotes nothing of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ThisError)]
pub enum NotAPath {
    /// A key's JSON, PEM or base64, or other structured text.
    #[error(
        "this looks like the content of a file, not like a path; save the content in a file that only the exporter's \
         user can read, and give the path of that file"
    )]
    Content,
    /// More than a file system allows.
    #[error("this is longer than a path can be; give the path of a file")]
    TooLong,
    /// More than one line.
    #[error("this has a line break in it; give the path of a file, without it")]
    LineBreak,
}

/// Checks that a text can be a path.
///
/// # Errors
/// The text cannot be a path.
pub fn path(text: &str) -> Result<PathBuf, NotAPath> {
    match not_a_path(text) {
        Some(wrong) => Err(wrong),
        None => Ok(PathBuf::from(text)),
    }
}

/// The same for a path that was never a text, such as one from the environment.
///
/// # Errors
/// It cannot be a path.
pub fn checked(path: &Path) -> Result<(), NotAPath> {
    not_a_path(&path.to_string_lossy()).map_or(Ok(()), Err)
}

/// Whether a text holds a private key, a token or a client's secret, as text or in base64.
pub fn is_secret(text: &str) -> bool {
    MARKS.iter().any(|mark| text.contains(mark)) || text.split(|c| !is_base64(c)).any(is_secret_run)
}

/// A foreign name, such as a property's or a zone's, for labels, logs and pages: on one line, and cut after 200 characters.
/// Google allows 100.
pub fn name(text: &str) -> String {
    let harmless = |c: char| if is_harmless(c) || JOINERS.contains(&c) { c } else { ' ' };
    let mut shown: String = text.chars().take(MAX_SHOWN).map(harmless).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.pop();
        shown.push('…');
    }
    shown
}

/// Removes the user and the password from URLs in a text.
pub fn without_user(text: &str) -> String {
    let Some((before, after)) = text.rsplit_once('@').filter(|(before, _)| before.contains(':')) else {
        return text.to_owned();
    };
    let start = before.find("//").map(|at| at + 2).or_else(|| before.find('=').map(|at| at + 1)).unwrap_or_default();
    format!("{}{HIDDEN}@{after}", before.get(..start).unwrap_or_default())
}

/// Removes words that look like secrets from a message. White space stays.
pub fn masked(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for part in message.split_inclusive(char::is_whitespace) {
        let word = part.trim_end();
        if is_secret(word) {
            text.push_str(HIDDEN);
            text.extend(part.chars().skip(word.chars().count()));
        } else {
            text.push_str(part);
        }
    }
    text
}

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(&self.0.to_string_lossy()).fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_content(self.0) {
            return f.write_str(HIDDEN);
        }
        let length = self.0.chars().count();
        for (index, character) in self.0.chars().enumerate() {
            if length > MAX_SHOWN && index == HEAD {
                f.write_char('…')?;
            }
            if length > MAX_SHOWN && (HEAD..length - TAIL).contains(&index) {
                continue;
            }
            if is_harmless(character) { f.write_char(character)? } else { write!(f, "{}", character.escape_default())? }
        }
        Ok(())
    }
}

fn not_a_path(text: &str) -> Option<NotAPath> {
    if is_content(text) {
        Some(NotAPath::Content)
    } else if text.len() > MAX_PATH_BYTES || text.split('/').any(|name| name.len() > MAX_NAME_BYTES) {
        Some(NotAPath::TooLong)
    } else {
        text.contains(['\n', '\r']).then_some(NotAPath::LineBreak)
    }
}

/// Whether it is a secret, or JSON, perhaps in quotes, which may contain one in an unknown form.
fn is_content(text: &str) -> bool {
    text.trim_start_matches(|c: char| c.is_whitespace() || "\"'".contains(c)).starts_with('{') || is_secret(text)
}

fn is_base64(character: char) -> bool {
    character.is_ascii_alphanumeric() || "+=-_".contains(character)
}

/// Whether a run of letters looks like part of a key: base64 switches between capitals, small letters and digits at two of
/// three positions; names, UUIDs and hexadecimal digests do not.
fn is_secret_run(run: &str) -> bool {
    if BEGINNINGS.iter().any(|(beginning, least)| run.len() >= *least && run.starts_with(beginning)) {
        return true;
    }
    let count = |of: fn(&u8) -> bool| run.as_bytes().iter().filter(|byte| of(byte)).count();
    let is_mixed =
        count(u8::is_ascii_uppercase) >= 3 && count(u8::is_ascii_lowercase) >= 3 && count(u8::is_ascii_digit) >= 1;
    let classes = run.bytes().map(|byte| (byte.is_ascii_uppercase(), byte.is_ascii_lowercase()));
    let changes = classes.clone().zip(classes.skip(1)).filter(|(left, right)| left != right).count();
    run.len() >= LEAST_RUN && is_mixed && changes * 2 >= run.len()
}

/// Whether a terminal just shows a character.
pub fn is_harmless(character: char) -> bool {
    let is_invisible = matches!(
        character,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    !character.is_control() && !is_invisible
}

/// The replacement of a secret.
pub const HIDDEN: &str = "(hidden)";

/// Texts that occur only in secrets and in their files.
const MARKS: &[&str] = &[
    "-----BEGIN",
    "-----END",
    "PRIVATE KEY-----",
    "private_key\"",
    "private_key\\\"",
    "private_key'",
    "client_secret\"",
    "refresh_token\"",
    "ya29.",
];

/// Beginnings of secrets, with their least length: base64 of `{"`, `{ `, `{` and a line break or a tab, and of `-----BEGIN`; a
/// key or certificate in DER, as base64; Google's API keys and OAuth clients' secrets.
const BEGINNINGS: &[(&str, usize)] = &[
    ("eyJ", 16),
    ("eyA", 24),
    ("ewo", 24),
    ("ew0", 24),
    ("ewk", 24),
    ("LS0tLS", 16),
    ("MII", 32),
    ("AIza", 35),
    ("GOCSPX-", 20),
];

/// Half of a line of a PEM file.
const LEAST_RUN: usize = 32;

/// The longest text that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// How much is shown of the beginning and the end of a longer text: files differ in the end of their paths.
const HEAD: usize = 99;
const TAIL: usize = 100;

/// Invisible characters that some scripts and emoji need.
const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

/// `PATH_MAX` and `NAME_MAX` of Linux.
const MAX_PATH_BYTES: usize = 4096;
const MAX_NAME_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    /// A key that exists for these tests only.
    const TEST_KEY: &str = include_str!("../../../tests/fixtures/keys/test_key.pem");

    fn json() -> String {
        let key = serde_json::json!({"type": "service_account", "private_key": TEST_KEY});
        serde_json::to_string_pretty(&key).unwrap()
    }

    #[test]
    fn a_key_in_any_dress_is_no_path_and_is_not_shown() {
        let (json, one_line) = (json(), json().replace("\n", ""));
        let bare: String = TEST_KEY.lines().filter(|line| !line.starts_with('-')).collect();
        let windows = TEST_KEY.replace('\n', "\r\n");
        for text in [
            json.clone(),
            one_line.clone(),
            format!("  \n{json}"),
            format!("'{one_line}'"),
            serde_json::to_string(&json).unwrap(),
            json.replace('"', ""),
            TEST_KEY.to_owned(),
            windows,
            TEST_KEY.replace('\n', "\\n"),
            TEST_KEY.replace('\n', " "),
            BASE64_STANDARD.encode(&json),
            BASE64_STANDARD.encode(&one_line),
            BASE64_STANDARD.encode(TEST_KEY),
            BASE64_URL_SAFE_NO_PAD.encode(&json),
            format!("data:application/json;base64,{}", BASE64_STANDARD.encode(&json)),
            format!("/etc/{bare}"),
            bare,
        ] {
            assert_eq!(path(&text), Err(NotAPath::Content), "{text}");
            assert_eq!(Shown(&text).to_string(), HIDDEN, "{text}");
        }
    }

    #[test]
    fn tokens_and_clients_secrets_are_secrets() {
        for text in [
            "ya29.c.b0AXv0zTNd",
            "eyJhbGciOiJSUzI1NiJ9.x.y",
            "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
            "GOCSPX-1234567890abcdefghijklm",
            r#"{"refresh_token": "1//0g"}"#,
        ] {
            assert!(is_secret(text), "{text}");
        }
    }

    #[test]
    fn every_line_of_a_key_is_masked_but_the_last() {
        let lines: Vec<&str> = TEST_KEY.lines().filter(|line| line.len() == 64).collect();
        assert!(lines.len() > 20);
        let missed = lines.iter().filter(|line| masked(line) != HIDDEN).count();
        // A line with many slashes has no run that is long enough.
        assert!(missed <= lines.len() / 4, "{missed} of {}", lines.len());
        assert_eq!(masked("a\nb -----BEGIN x\n"), "a\nb (hidden) x\n");
    }

    #[test]
    fn paths_that_people_have_are_paths() {
        for text in [
            "key.json",
            "/etc/google_analytics_exporter/key.json",
            "/run/secrets/ga_private_key",
            "/var/lib/docker/overlay2/4f3c2a1b0d9e8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a/merged/key.json",
            "/home/Ann Example/Google_Analytics_Exporter_Production_Credentials_2026_v2/Key.json",
            "/nix/store/s66mzxpvicwk07gjbjfw9izjfa797vsw-hello-2.12.1/key.json",
            "/var/run/secrets/3f2b8c1d-9a7e-4c55-8f21-0e6d3b2a1c4f/KEY.JSON",
            "/tmp/.tmpAb1Cd2/key.json",
            "/opt/MyCompanyAnalyticsExporterConfigurationDirectory/keys",
            "C:\\keys\\ga.json",
            "schlüssel/тест.json",
            "eyewitness/ewok/eye.json",
        ] {
            assert_eq!(path(text).as_deref(), Ok(Path::new(text)), "{text}");
            let shown = text.chars().all(is_harmless).then(|| Shown(text).to_string());
            assert_eq!(shown.as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_shown_is_one_line_of_bounded_length() {
        assert_eq!(Shown("a\nb\u{1b}[31m\u{202e}").to_string(), r"a\nb\u{1b}[31m\u{202e}");
        let long = format!("/{}/key.json", "directory/".repeat(50));
        let shown = ShownPath(Path::new(&long)).to_string();
        assert_eq!(shown.chars().count(), MAX_SHOWN);
        assert!(shown.starts_with("/directory/") && shown.ends_with("/key.json") && shown.contains('…'), "{shown}");
        assert_eq!(path("a\nb"), Err(NotAPath::LineBreak));
        assert_eq!(path(&"a".repeat(300)), Err(NotAPath::TooLong));
        assert_eq!(path(&"a/".repeat(3000)), Err(NotAPath::TooLong));
        assert_eq!(checked(Path::new("a/b")), Ok(()));
    }

    #[test]
    fn the_user_of_a_url_is_left_out() {
        for (text, expected) in [
            ("https://ann:pass@ga.example/a", "https://(hidden)@ga.example/a"),
            ("https://ann:p@ss/word@ga.example", "https://(hidden)@ga.example"),
            ("--web.external-url=ann:pass@ga.example", "--web.external-url=(hidden)@ga.example"),
            ("ann:pass@ga.example", "(hidden)@ga.example"),
            ("https://ga.example:8080/a", "https://ga.example:8080/a"),
            ("ann@example.com", "ann@example.com"),
        ] {
            assert_eq!(without_user(text), expected);
        }
    }

    #[test]
    fn a_name_is_one_line_of_bounded_length() {
        assert_eq!(name("Shop  \"A\" 👩\u{200d}💻\n\u{1b}[2J\u{202e}x"), "Shop  \"A\" 👩\u{200d}💻  [2J x");
        assert_eq!(name(&"é".repeat(200)).chars().filter(|c| *c == 'é').count(), 200);
        let long = name(&"é".repeat(1 << 20));
        assert!(long.chars().count() == 200 && long.ends_with("é…"), "{long}");
    }
}
