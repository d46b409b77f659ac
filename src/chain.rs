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

/// Somebody else's text on one line and of bounded length, in characters. A server may echo what was sent to it, so words
/// that look like a JWT or like one of Google's access tokens are left out.
pub fn one_line(text: &str, longest: usize) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words = words.map(|word| if looks_secret(word) { "(hidden)" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(longest).collect()
}

/// A JWT begins with `{"` in base64, an access token of Google's with `ya29.`.
fn looks_secret(word: &str) -> bool {
    word.contains("eyJ") || word.contains("ya29.")
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
    fn others_texts_are_short_on_one_line_and_without_secrets() {
        assert_eq!(one_line(" a\nb\tc  d ", 5), "a b c");
        assert_eq!(one_line("assertion=eyJhbGciOi.x.y is bad", 99), "(hidden) is bad");
        assert_eq!(one_line("token \"ya29.abc\" expired", 99), "token (hidden) expired");
    }

    #[test]
    fn causes_follow_their_effect() {
        assert_eq!(Chain(&Outer(io::Error::other("no key"))).to_string(), "cannot open the door: no key");
        assert_eq!(Chain(&io::Error::other("no key")).to_string(), "no key");
    }
}
