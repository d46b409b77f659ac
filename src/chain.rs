//! An error with its causes, and others' texts, for the log.

use std::{error::Error, fmt};

/// Prints an error and its causes, separated by colons. A cause whose text its effect has told already is left out.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !told.contains(&text) {
                write!(f, ": {text}")?;
                told = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// Somebody else's text on one line and of bounded length, in characters.
pub fn one_line(text: &str, longest: usize) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(longest).collect()
}

#[cfg(test)]
mod tests {
    use std::io;

    use thiserror::Error as ThisError;

    use super::*;

    #[derive(Debug, ThisError)]
    #[error("cannot open the door")]
    struct Outer(#[source] io::Error);

    #[test]
    fn causes_follow_their_effect() {
        assert_eq!(Chain(&Outer(io::Error::other("no key"))).to_string(), "cannot open the door: no key");
        assert_eq!(Chain(&io::Error::other("no key")).to_string(), "no key");
    }
}
