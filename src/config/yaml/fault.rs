//! Explains why a text is not valid YAML, in words for operators.

use serde_saphyr::{Error, budget::BudgetBreach};

use super::{super::problem::Position, MAX_BYTES, MAX_DEPTH, MAX_NODES, position};

/// Returns what is wrong with the text, and how to correct it.
#[derive(Debug)]
pub(in super::super) struct Fault {
    pub(in super::super) position: Position,
    pub(in super::super) message: String,
}

impl Fault {
    /// A file beyond [`MAX_BYTES`].
    pub(super) fn too_large() -> Self {
        let message = format!(
            "the file is larger than {} KiB, the most that is read; list fewer properties, or let discovery find them",
            MAX_BYTES / 1024
        );
        Self { position: START, message }
    }

    /// Bytes that are not UTF-8 from some index on.
    pub(super) fn not_utf8(bytes: &[u8], valid_up_to: usize) -> Self {
        let valid = bytes.get(..valid_up_to).map(String::from_utf8_lossy).unwrap_or_default();
        let line = valid.rsplit('\n').next().unwrap_or_default();
        let position =
            Position { line: valid.matches('\n').count() as u64 + 1, column: line.chars().count() as u64 + 1 };
        Self { position, message: "this byte is not UTF-8 text; save the file as UTF-8".to_owned() }
    }

    pub(super) fn new(error: &Error, text: &str) -> Self {
        let place = error.location().map(position).unwrap_or(START);
        if let Some(message) = known(error) {
            return Self { position: place, message };
        }
        let complaint = complaint(error);
        if complaint.contains("recursion limit") {
            return Self { position: place, message: too_deep() };
        }
        if let Some((position, character)) = odd_character(text, place) {
            let shown = character.escape_unicode();
            let message = format!("`{shown}` is none of YAML's characters, though it may look like one; type it again");
            return Self { position, message };
        }
        let tab = complaint.contains("tab").then(|| indenting_tab(text, place)).flatten();
        let message = match tab {
            Some(_) => "a tab indents this line; YAML takes only spaces: replace the tab".to_owned(),
            None => format!("this is not valid YAML ({complaint}); {}", hint(&complaint)),
        };
        Self { position: tab.unwrap_or(place), message }
    }
}

/// The mistakes with an explanation of their own.
fn known(error: &Error) -> Option<String> {
    let message = if let Error::MultipleDocuments { .. }
    | Error::Budget { breach: BudgetBreach::Documents { .. }, .. } = error
    {
        "a second document begins here; a configuration is one document: remove this `---` line, or what follows it"
            .to_owned()
    } else if let Error::Budget { breach: BudgetBreach::Depth { .. }, .. } = error {
        too_deep()
    } else if let Error::Budget { .. } = error {
        format!("the file has more than {MAX_NODES} values; list fewer properties, or let discovery find them")
    } else if let Error::AliasReplayLimitExceeded { .. }
    | Error::AliasReplayStackDepthExceeded { .. }
    | Error::AliasExpansionLimitExceeded { .. }
    | Error::AliasReplayCounterOverflow { .. } = error
    {
        format!("the aliases (`*name`) stand for more than {MAX_NODES} values; write the values out")
    } else if let Error::RecursiveReferencesRequireWeakTypes { .. } = error {
        "this alias (`*name`) stands inside its own anchor (`&name`); write the value out".to_owned()
    } else if let Error::UnknownAnchor { .. } = error {
        "no anchor (`&name`) above has the name of this alias (`*name`); put quotes around a text that begins with `*`"
            .to_owned()
    } else if let Error::MergeValueNotMapOrSeqOfMaps { .. } = error {
        "`<<` merges a mapping, and this is none; write `<<: *name` with the name of an anchored mapping".to_owned()
    } else if let Error::UnsupportedTag { .. } = error {
        "tags (`!name`) mean nothing here; remove the tag, or put quotes around a text that begins with `!`".to_owned()
    } else if let Error::InvalidScalar { .. } | Error::InvalidBooleanStrict { .. } = error {
        "the value does not fit the tag (`!!name`) before it; remove the tag".to_owned()
    } else if let Error::AliasError { error, .. } = error {
        return known(error);
    } else {
        return None;
    };
    Some(message)
}

fn too_deep() -> String {
    format!("more than {MAX_DEPTH} levels are nested here; check the brackets and the indentation above")
}

/// The parser's message, without the position.
fn complaint(error: &Error) -> String {
    let text = error.without_snippet().to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// The most likely correction.
fn hint(complaint: &str) -> &'static str {
    HINTS.iter().find(|(part, _)| complaint.contains(part)).map_or(ANY_HINT, |(_, hint)| hint)
}

/// Finds the first tab in the indentation at the position or in the nearest lines below: the parser blames the value that the
/// line would continue.
fn indenting_tab(text: &str, place: Position) -> Option<Position> {
    let skipped = usize::try_from(place.line.saturating_sub(1)).ok()?;
    (place.line..).zip(text.lines().skip(skipped).take(TAB_LINES)).find_map(|(line, content)| {
        let blank = content.chars().take_while(|c| *c == ' ' || *c == '\t');
        let column = (1..).zip(blank).find(|(_, c)| *c == '\t').map(|(column, _)| column)?;
        Some(Position { line, column })
    })
}

/// Finds a character in the blamed line or the one above that looks like a blank, a colon or a quote of YAML's: they come along
/// when text is copied from a page. Within quotes and comments they are what they are.
fn odd_character(text: &str, place: Position) -> Option<(Position, char)> {
    let first = place.line.saturating_sub(1).max(1);
    let lines =
        (1..).zip(text.lines()).skip_while(|(line, _)| *line < first).take_while(|(line, _)| *line <= place.line);
    lines.into_iter().find_map(|(line, content)| {
        let (column, character) = odd_in_line(content)?;
        Some((Position { line, column }, character))
    })
}

fn odd_in_line(content: &str) -> Option<(u64, char)> {
    let mut quote = None;
    for (column, character) in (1..).zip(content.chars()) {
        match quote {
            Some(open) if open == character => quote = None,
            Some(_) => {}
            None if character == '#' => return None,
            None if "'\"".contains(character) => quote = Some(character),
            None if LOOK_ALIKES.contains(&character) => return Some((column, character)),
            None => {}
        }
    }
    None
}

/// No-break spaces, wide punctuation and typographic quotes.
const LOOK_ALIKES: [char; 14] = [
    '\u{a0}', '\u{202f}', '\u{3000}', '\u{200b}', '\u{2060}', '\u{ff1a}', '\u{ff0c}', '\u{ff3b}', '\u{ff3d}',
    '\u{ff5b}', '\u{ff5d}', '\u{201c}', '\u{201d}', '\u{2018}',
];

const START: Position = Position { line: 1, column: 1 };

/// How many lines below the blamed value are searched for a tab.
const TAB_LINES: usize = 20;

const ANY_HINT: &str = "check the indentation, quotes and brackets here and just above";

const INDENTATION_HINT: &str =
    "check the indentation: the keys of one mapping begin in the same column, and so do the `- ` of one list";

const HINTS: &[(&str, &str)] = &[
    ("escape", r#"within "double quotes" a backslash must be doubled: put regular expressions in 'single quotes'"#),
    ("unclosed quote", "close the quote that begins here"),
    ("trailing content after single-quoted", "within 'single quotes' a quote is written twice: ''"),
    ("unclosed bracket", "close the bracket that begins here"),
    ("illegal placement of ':'", "close the bracket or brace that is open above"),
    (
        "unexpected EOF while parsing an implicit flow mapping",
        "write a value between the commas, or remove one of them",
    ),
    (r"unexpected character: `\u", "remove this invisible character"),
    ("unexpected character", "put quotes around a text that begins with a special character"),
    ("mapping values are not allowed", "check the indentation, and put quotes around a text that contains `: `"),
    ("simple key expected", "a key is followed by `: ` and its value"),
    ("did not find expected key", INDENTATION_HINT),
    ("did not find expected '-'", INDENTATION_HINT),
    ("tab", "use spaces instead of tabs"),
];
