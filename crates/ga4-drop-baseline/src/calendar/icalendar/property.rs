//! The lines of a calendar: `NAME;PARAMETER=value:value`.

use super::{Mistake, encoding};

/// One unfolded line.
#[derive(Debug)]
pub(super) struct Property {
    /// The number of its first line in the file, counted from 1.
    pub(super) line: usize,
    /// In upper case.
    pub(super) name: String,
    pub(super) value: String,
    /// The parameters, with their names in upper case.
    parameters: Vec<(String, String)>,
}

impl Property {
    /// Returns the value of a parameter without quotes; `None` if the value is empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let (_, value) = self.parameters.iter().find(|(known, _)| known == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// Returns a mistake in this property.
    pub(super) fn mistake(&self, message: impl AsRef<str>) -> Mistake {
        Mistake::new(self.line, format!("`{}`: {}", self.name, message.as_ref()))
    }

    /// Returns the value as text for people, without the escapes of the format.
    pub(super) fn text(&self) -> String {
        unescaped(&self.value)
    }

    /// Returns the texts of a value that is a list.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut is_escaped = false;
        let is_comma = |character: char| {
            let is_separator = character == ',' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            is_separator
        };
        self.value.split(is_comma).map(|text| unescaped(text.trim())).collect()
    }

    fn new(line: usize, bytes: &[u8]) -> Result<Self, Mistake> {
        let text = encoding::text(bytes);
        // Each part of concatenated files may start with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        let malformed = || {
            Mistake::new(line, "this line is not `NAME:value`; begin it with a blank if it continues the one before")
        };
        let mut is_quoted = false;
        let is_end = |character: char| {
            is_quoted ^= character == '"';
            character == ':' && !is_quoted
        };
        // An unclosed quote hides the colon.
        let (head, value) = text.split_once(is_end).or_else(|| text.split_once(':')).ok_or_else(malformed)?;
        let name = head.split(';').next().unwrap_or_default().trim().to_ascii_uppercase();
        if !is_name(&name) {
            return Err(malformed());
        }
        let (head, value) =
            if TIMES.contains(&name.as_str()) { with_unquoted_colons(text, head, value) } else { (head, value) };
        let parameter = |text: &str| {
            let (name, value) = text.split_once('=')?;
            Some((name.trim().to_ascii_uppercase(), value.trim().trim_matches('"').trim().to_owned()))
        };
        let parameters = split_unquoted(head).into_iter().skip(1).take(MAX_PARAMETERS).filter_map(parameter).collect();
        let value = value.trim_end_matches(|character: char| character.is_whitespace() || character.is_control());
        let value = match name.as_str() {
            // Names of components and calendar scales are compared in upper case, too.
            "BEGIN" | "END" => value.trim().to_ascii_uppercase(),
            name if TIMES.contains(&name) => value.trim().to_owned(),
            _ => value.to_owned(),
        };
        Ok(Self { line, name, value, parameters })
    }
}

/// Parses the properties of a file in UTF-8.
pub(super) fn properties(text: &[u8]) -> impl Iterator<Item = Result<Property, Mistake>> {
    encoding::unfolded(text).map(|(line, bytes)| Property::new(line, &bytes))
}

/// Repairs a zone name with colons, such as `(UTC+01:00) Berlin`, whose quotes are missing: moves the text before the
/// last colon out of the value, since times have no colons.
fn with_unquoted_colons<'t>(text: &'t str, head: &'t str, value: &'t str) -> (&'t str, &'t str) {
    let is_time = |text: &str| text.len() >= 8 && text.bytes().take(8).all(|byte| byte.is_ascii_digit());
    match text.rsplit_once(':') {
        Some((whole, time)) if value.contains(':') && is_time(time.trim_start()) => (whole, time),
        _ => (head, value),
    }
}

/// Splits a text at semicolons that are not in quotes.
fn split_unquoted(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_separator = |character: char| {
        is_quoted ^= character == '"';
        character == ';' && !is_quoted
    };
    text.split(is_separator).collect()
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.as_str().chars().next()) {
            ('\\', Some(next @ ('\\' | ',' | ';'))) => {
                plain.push(next);
                characters.next();
            }
            ('\\', Some('n' | 'N')) => {
                plain.push('\n');
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Largest number of parameters that are stored; the standard defines fewer.
const MAX_PARAMETERS: usize = 64;

/// The properties whose values are dates, times or rules.
const TIMES: [&str; 6] = ["DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID", "RRULE"];

#[cfg(test)]
mod tests {
    use super::*;

    fn property(line: &str) -> Property {
        Property::new(1, line.as_bytes()).unwrap()
    }

    #[test]
    fn texts_lose_their_backslashes() {
        assert_eq!(property(r"SUMMARY:a\, b\; c\\d\ne\x").text(), "a, b; c\\d\ne\\x");
        assert_eq!(property(r"CATEGORIES:Holidays,Federal\, paid, x").texts(), ["Holidays", "Federal, paid", "x"]);
    }

    #[test]
    fn parameters_are_found_as_people_write_them() {
        for line in [
            "DTSTART;TZID=(UTC+01:00) Berlin, Rome:20261225T000000",
            "DTSTART;TZID=\"(UTC+01:00) Berlin, Rome\":20261225T000000",
            "dtstart ; ;X;tzid= \"(UTC+01:00) Berlin, Rome\" : 20261225T000000 ",
            "\u{feff}DTSTART;TZID=\"(UTC+01:00) Berlin, Rome:20261225T000000\0",
        ] {
            let property = property(line);
            assert_eq!((property.name.as_str(), property.value.as_str()), ("DTSTART", "20261225T000000"), "{line}");
            assert_eq!(property.parameter("TZID"), Some("(UTC+01:00) Berlin, Rome"), "{line}");
        }
        assert_eq!(property("DTSTART;TZID=:20261225T000000").parameter("TZID"), None);
    }
}
