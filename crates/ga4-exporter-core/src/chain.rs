//! Errors with their causes, and foreign texts, for the log.

use std::{error::Error, fmt};

use crate::shown::{self, HIDDEN};

/// Prints an error and its causes, separated by colons. A cause that the error before it already quotes is omitted.
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = self.0.to_string();
        f.write_str(&written)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !written.contains(&text) {
                write!(f, ": {text}")?;
                written = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

/// Shortens a foreign text to one line of bounded length, in characters. A server may echo what was sent to it, so words that
/// look like a JWT or an access token of Google's are omitted. Control characters are replaced.
pub fn one_line(text: &str, longest: usize) -> String {
    let mut line = String::new();
    let mut room = longest;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        let word = if looks_secret(word) { HIDDEN } else { word };
        let space = if line.is_empty() { "" } else { " " };
        for character in space.chars().chain(word.chars()) {
            let shown = if shown::is_harmless(character) { character } else { '\u{fffd}' };
            if room == 0 {
                return line;
            }
            line.push(shown);
            room -= 1;
        }
    }
    line
}

/// Removes HTML from a text: tags, comments, styles and scripts; entities are decoded. A text without tags is unchanged.
pub fn without_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        plain.push_str(before);
        plain.push(' ');
        let end = |mark: &str| tag.find(mark).map_or(tag.len(), |at| at + mark.len());
        let begins = |name: &str| tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let end = match () {
            () if begins("!--") => end("-->"),
            () if begins("style") => end("</style>"),
            () if begins("script") => end("</script>"),
            () => end(">"),
        };
        rest = tag.get(end..).unwrap_or_default();
    }
    plain.push_str(rest);
    let spelled_out = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    spelled_out.iter().fold(plain, |text, (entity, character)| text.replace(entity, character))
}

/// A JWT begins with `{"` in base64.
fn looks_secret(word: &str) -> bool {
    word.contains("eyJ") || shown::is_secret(word)
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
        assert_eq!(one_line("a\u{1b}[31m\u{202e}b \u{7}", 99), "a [31m\u{fffd}b");
        assert_eq!(one_line(&"x".repeat(1 << 20), 9), "xxxxxxxxx");
        assert_eq!(one_line("token \"ya29.abc\" expired", 99), "token (hidden) expired");
    }

    #[test]
    fn pages_are_read_as_their_text() {
        let page = "<!DOCTYPE html>\n<html lang=en>\n<title>Error 404 (Not Found)!!1</title><style>*{margin:0}</style>\n\
                    <!-- x > y --><p><b>404.</b> <ins>That’s an error.</ins> a &lt; b &amp;amp; c <SCRIPT>x<y</script>";
        let page = one_line(&without_markup(page), 99);
        assert_eq!(page, "Error 404 (Not Found)!!1 404. That’s an error. a < b &amp; c");
        assert_eq!(without_markup("no tags, 2 > 1"), "no tags, 2 > 1");
        assert_eq!(without_markup("cut <b off"), "cut  ");
    }

    #[test]
    fn causes_follow_their_effect() {
        assert_eq!(Chain(&Outer(io::Error::other("no key"))).to_string(), "cannot open the door: no key");
        assert_eq!(Chain(&io::Error::other("no key")).to_string(), "no key");
    }
}
