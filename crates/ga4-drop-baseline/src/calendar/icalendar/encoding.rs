//! Converts the bytes of a file to lines of text.

use std::{borrow::Cow, iter};

/// Returns the bytes as UTF-8; converts them if they start with a byte order mark of UTF-16.
pub(super) fn utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let (from_bytes, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        [b'B' | b'b', 0, ..] => (u16::from_le_bytes, bytes),
        [0, b'B' | b'b', ..] => (u16::from_be_bytes, bytes),
        _ => return Cow::Borrowed(bytes),
    };
    let units = rest.chunks_exact(2).map(|pair| from_bytes(pair.try_into().unwrap_or_default()));
    let text: String = char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Cow::Owned(text.into_bytes())
}

/// Decodes a line. Text that is not UTF-8 is read as Latin-1, in which every byte is a character.
pub(super) fn text(line: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(line.iter().copied().map(char::from).collect()),
    }
}

/// Returns the non-empty lines with their numbers from 1, and joins continuation lines with the line that they continue.
pub(super) fn unfolded(text: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    // Empty lines are skipped: most files end in one, and some have one after each line.
    let mut lines = lines(text).zip(1..).filter(|(line, _)| !line.iter().all(|byte| is_padding(*byte))).peekable();
    iter::from_fn(move || {
        let (first, number) = lines.next()?;
        let mut whole = first.to_vec();
        // Lines are joined as bytes, because they may be folded within a character.
        while let Some((next, _)) = lines.next_if(|(line, _)| matches!(line.first(), Some(b' ' | b'\t'))) {
            whole.extend(next.iter().skip(1));
        }
        Some((number, whole))
    })
}

/// Splits a text into lines that end as on Unix, Windows or old Macs.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else { return rest.take() };
        let (line, after) = text.split_at(end);
        rest = Some(after.strip_prefix(b"\r\n").or_else(|| after.get(1..)).unwrap_or_default());
        Some(line)
    })
}

/// Bytes that occur before, between and after the lines of copied or padded files.
fn is_padding(byte: u8) -> bool {
    matches!(byte, b'\0' | b' ' | b'\t' | END_OF_FILE)
}

/// The character that ended texts on DOS.
const END_OF_FILE: u8 = 0x1a;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_anywhere() {
        for text in ["A:b\nC:d", "A:b\r\nC:d\r\n", "A:b\rC:d\r", "A:b\r\r\nC:d\0\0", "\n \nA:b\n\n C:d\n\x1a"] {
            let found: Vec<u8> = unfolded(text.as_bytes()).flat_map(|(_, line)| line).collect();
            let text = String::from_utf8(found).unwrap();
            assert_eq!(text.trim_end_matches('\0'), "A:bC:d");
        }
    }

    #[test]
    fn other_encodings_are_read() {
        let text = "BEGIN:é";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [&little, &big, &[&[0xff, 0xfe], &little[..]].concat(), &[&[0xfe, 0xff], &big[..]].concat()] {
            assert_eq!(utf8(bytes), text.as_bytes());
        }
        assert_eq!(utf8(text.as_bytes()), text.as_bytes());
        assert_eq!(super::text(b"F\xeate"), "Fête");
    }
}
