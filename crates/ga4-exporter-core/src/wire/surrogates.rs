//! Halves of characters in JSON, which no text can have.
//!
//! JSON writes characters beyond U+FFFF as two escapes, such as `\ud83d\ude00`. Where a text was cut between them, half of a
//! character is left: the grammar allows it, and parsers refuse the whole body. Knows escapes alone; refuses to know what the
//! body is for.

/// The body with U+FFFD for each lone half; `None` where there is none, so that the body is bad for another reason.
pub fn without_lone_halves(body: &str) -> Option<String> {
    let mut whole: Option<String> = None;
    let bytes = body.as_bytes();
    let mut at = 0;
    while let Some(escape) = next_escape(bytes, at) {
        let first = code_unit(bytes, escape);
        at = escape + if first.is_some() { ESCAPED_UNIT } else { ESCAPED_CHARACTER };
        match first {
            Some(HIGH_FIRST..=HIGH_LAST) if matches!(code_unit(bytes, at), Some(LOW_FIRST..=LOW_LAST)) => {
                at += ESCAPED_UNIT
            }
            Some(HIGH_FIRST..=LOW_LAST) => {
                let whole = whole.get_or_insert_with(|| body.to_owned());
                whole.replace_range(escape..escape + ESCAPED_UNIT, REPLACEMENT);
            }
            Some(_) | None => {}
        }
    }
    whole
}

/// Where the next backslash is.
fn next_escape(body: &[u8], from: usize) -> Option<usize> {
    body.get(from..)?.iter().position(|byte| *byte == b'\\').map(|found| from + found)
}

/// The four digits of an escape such as `\u00e9` that begins here.
fn code_unit(body: &[u8], at: usize) -> Option<u32> {
    let digits = body.get(at..at + ESCAPED_UNIT)?.strip_prefix(br"\u")?;
    let digits = digits.iter().all(u8::is_ascii_hexdigit).then_some(digits)?;
    u32::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()
}

const HIGH_FIRST: u32 = 0xd800;
const HIGH_LAST: u32 = 0xdbff;
const LOW_FIRST: u32 = 0xdc00;
const LOW_LAST: u32 = 0xdfff;

/// `\u00e9`
const ESCAPED_UNIT: usize = 6;

/// `\n`
const ESCAPED_CHARACTER: usize = 2;

/// As long as what it replaces.
const REPLACEMENT: &str = r"\ufffd";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_lone_half_becomes_a_mark() {
        for (body, expected) in [
            (r#"["a\ud83d"]"#, "a\u{fffd}"),
            (r#"["\ude00b"]"#, "\u{fffd}b"),
            (r#"["\ud83d\ud83d\ude00"]"#, "\u{fffd}\u{1f600}"),
            (r#"["\ude00\ud83d"]"#, "\u{fffd}\u{fffd}"),
            (r#"["\\\uD83Dx"]"#, "\\\u{fffd}x"),
            (r#"["\ud83d\n"]"#, "\u{fffd}\n"),
        ] {
            assert!(serde_json::from_str::<[String; 1]>(body).is_err(), "{body}");
            let whole = without_lone_halves(body).unwrap();
            assert_eq!(serde_json::from_str::<[String; 1]>(&whole).unwrap(), [expected], "{body}");
        }
    }

    #[test]
    fn whole_characters_stay() {
        for body in [
            r#"["\ud83d\ude00"]"#,
            r#"["\\ud83d"]"#,
            r#"["\u00e9\n\"\\"]"#,
            r#"["\ud83"]"#,
            r#"["\uzzzz"]"#,
            "",
            "\\",
            r"\u",
        ] {
            assert_eq!(without_lone_halves(body), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_keeps_its_length(body in r#"(\\|u|d8|dc|00|a|"|[^\x00]){0,40}"#) {
            if let Some(whole) = without_lone_halves(&body) {
                prop_assert_eq!(whole.len(), body.len());
            }
        }
    }
}
