//! The lines of a calendar: `NAME;PARAMETER=value:value`, long ones folded.

use std::iter;

use super::Mistake;

/// One line, after unfolding.
#[derive(Debug)]
pub(super) struct Property {
    /// Where it begins in the file, counted from 1.
    pub(super) line: usize,
    /// In capital letters.
    pub(super) name: String,
    pub(super) value: String,
    /// Their names in capital letters.
    parameters: Vec<(String, String)>,
}

impl Property {
    /// The value of a parameter, without quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A mistake in it.
    pub(super) fn mistake(&self, message: impl AsRef<str>) -> Mistake {
        Mistake::new(self.line, format!("`{}`: {}", self.name, message.as_ref()))
    }

    fn new(line: usize, bytes: &[u8]) -> Result<Self, Mistake> {
        // Only texts for people can hold what is not UTF-8, and those are not read.
        let text = String::from_utf8_lossy(bytes);
        let malformed = || {
            Mistake::new(line, "this line is not `NAME:value`; begin it with a blank if it continues the one before")
        };
        let mut is_quoted = false;
        let is_end = |character: char| {
            is_quoted ^= character == '"';
            character == ':' && !is_quoted
        };
        let (head, value) = text.split_once(is_end).ok_or_else(malformed)?;
        let mut parts = split_unquoted(head).into_iter();
        let name = parts.next().filter(|name| is_name(name)).ok_or_else(malformed)?;
        let parameter = |text: &str| {
            let (name, value) = text.split_once('=').filter(|(name, _)| is_name(name))?;
            Some((name.to_ascii_uppercase(), value.trim_matches('"').to_owned()))
        };
        let parameters = parts.map(parameter).collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
        // Components and calendars are told apart by their names too.
        let name = name.to_ascii_uppercase();
        let value = match name.as_str() {
            "BEGIN" | "END" => value.trim().to_ascii_uppercase(),
            _ => value.trim_end().to_owned(),
        };
        Ok(Self { line, name, value, parameters })
    }
}

/// The lines of a file, those that continue another joined with it. What follows a mistake is not read.
pub(super) fn properties(bytes: &[u8]) -> impl Iterator<Item = Result<Property, Mistake>> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut lines =
        text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).zip(1..).peekable();
    iter::from_fn(move || {
        // An empty line says nothing; most files end in one.
        let (first, number) = lines.find(|(line, _)| !line.is_empty())?;
        let mut whole = first.to_vec();
        // Folded between bytes, so within a character too.
        while let Some((next, _)) = lines.next_if(|(line, _)| matches!(line.first(), Some(b' ' | b'\t'))) {
            whole.extend(next.iter().skip(1));
        }
        Some(Property::new(number, &whole))
    })
}

/// The parts between semicolons that are not within quotes.
fn split_unquoted(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    let is_separator = |character: char| {
        is_quoted ^= character == '"';
        character == ';' && !is_quoted
    };
    text.split(is_separator).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
