//! Mistakes in a configuration file, with their place and correction.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error as ThisError;

use ga4_exporter_core::shown::{self, ShownPath};

/// Why a file has no valid configuration.
#[derive(Debug, ThisError)]
pub enum Errors {
    /// The file cannot be read.
    #[error("cannot read the configuration file `{}`", ShownPath(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The mistakes in the file; sorted by position, never empty.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

impl Errors {
    /// Returns the mistakes in the file, sorted by position; none if it cannot be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid(problems) => problems,
        }
    }
}

/// A mistake or a warning.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    file: PathBuf,
    position: Position,
    message: String,
}

/// A position in the file, counted from 1; the column in characters.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl Problem {
    /// Creates a problem in a file; the message says what is wrong and, after a semicolon, how to correct it.
    ///
    /// Control characters, invisible ones and unusual blanks from the file's text are escaped: a problem is one line, cannot
    /// control a terminal, and shows what is wrong. Words that look like part of a key are omitted.
    pub(super) fn new(file: &Path, position: Position, message: &str) -> Self {
        let mut clean = String::with_capacity(message.len());
        for character in shown::masked(message).chars() {
            let is_odd_blank = character.is_whitespace() && character != ' ';
            if is_odd_blank || !shown::is_harmless(character) {
                clean.extend(character.escape_default());
            } else {
                clean.push(character);
            }
        }
        Self { file: file.to_owned(), position, message: clean }
    }

    /// The file that it is in.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where in the file.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What is wrong and how to correct it, on one line.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}: {}", ShownPath(&self.file), self.message)
    }
}

/// Problems, one per line; only the first of many.
struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().take(MAX_PRINTED).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        match self.0.len().saturating_sub(MAX_PRINTED) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more problems"),
        }
    }
}

/// The most problems that are printed; the rest is counted.
const MAX_PRINTED: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: u64, message: &str) -> Problem {
        Problem::new(Path::new("a.yml"), Position { line, column: 3 }, message)
    }

    #[test]
    fn a_problem_is_one_line_whatever_the_file_says() {
        let text = problem(2, "bad key `a\nb\u{1b}[31m`; remove it").to_string();
        assert_eq!(text, r"a.yml:2:3: bad key `a\nb\u{1b}[31m`; remove it");
        let text = problem(2, "bad key `a\u{200b}b\u{a0}c\u{202e}`; remove it").to_string();
        assert_eq!(text, r"a.yml:2:3: bad key `a\u{200b}b\u{a0}c\u{202e}`; remove it");
    }

    #[test]
    fn a_problem_quotes_no_key() {
        let text = problem(2, "bad key `-----BEGIN`, found `MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEA`").to_string();
        assert_eq!(text, "a.yml:2:3: bad key (hidden) found (hidden)");
    }

    #[test]
    fn a_flood_of_problems_is_counted_not_printed() {
        let many = (1..=MAX_PRINTED as u64 + 7).map(|line| problem(line, "bad")).collect();
        let text = Errors::Invalid(many).to_string();
        assert_eq!(text.lines().count(), MAX_PRINTED + 1);
        assert!(text.ends_with("\nand 7 more problems"), "{text}");
    }
}
