//! What is wrong with a configuration file, where, and how to mend it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use thiserror::Error as ThisError;

use ga4_exporter_core::shown::{self, ShownPath};

/// Why a file gives no configuration.
#[derive(Debug, ThisError)]
pub enum Errors {
    /// The file cannot be read at all.
    #[error("cannot read the configuration file `{}`", ShownPath(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file can be read but must be corrected first; sorted by position, never empty.
    #[error("{}", Lines(.0))]
    Invalid(Vec<Problem>),
}

impl Errors {
    /// The mistakes in the file, sorted by position; none when it cannot be read.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Unreadable { .. } => &[],
            Self::Invalid(problems) => problems,
        }
    }
}

/// One thing that is wrong or doubtful.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    file: PathBuf,
    position: Position,
    message: String,
}

/// A place in the file, both counted from 1, the column in characters.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl Problem {
    /// A problem in a file; the message says what is wrong and, after a semicolon, how to mend it.
    ///
    /// Control characters, which may come with the file's own text, are escaped: a problem is one line, and a terminal
    /// obeys nothing in it. Words that look like a part of a key are left out.
    pub(super) fn new(file: &Path, position: Position, message: &str) -> Self {
        let mut clean = String::with_capacity(message.len());
        for character in shown::masked(message).chars() {
            if character.is_control() {
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

    /// What is wrong and how to mend it, in one line.
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

/// Problems one per line, as far as somebody reads them.
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

/// How many problems are printed; the rest is counted.
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
