//! Regular expressions of filters, which Google reads as RE2 does (github.com/google/re2/wiki/Syntax).
//!
//! Knows where RE2 and this program's library differ: what either lacks, and what the library reads otherwise. Refuses to match
//! anything. What both refuse is an error; what only the library refuses may be meant.

use std::convert::Infallible;

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassSetBinaryOp, ClassSetItem, ClassUnicodeKind, ErrorKind, Flag, Flags, FlagsItemKind,
    GroupKind, HexLiteralKind, LiteralKind, RepetitionKind, RepetitionRange, parse::ParserBuilder,
};

use super::super::super::reader::quoted;

/// What Google makes of a pattern.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// It can be read.
    Good,
    /// It is refused: what is wrong, and how to write it.
    Refused(String),
    /// It is probably refused, or read otherwise than it is meant: the same.
    Doubtful(String),
}

/// Judges a pattern.
pub(super) fn judge(pattern: &str) -> Verdict {
    let shown = quoted(pattern);
    if pattern.is_empty() {
        return Verdict::Refused(
            "an empty pattern matches everything; remove it, or write what is looked for".to_owned(),
        );
    }
    let ast = match ParserBuilder::new().octal(true).nest_limit(MAX_NESTING).build().parse(pattern) {
        Ok(ast) => ast,
        Err(error) => return fault(&shown, &error),
    };
    let Ok(differences) = ast::visit(&ast, Differences(Vec::new()));
    match differences.first() {
        None => Verdict::Good,
        Some(Difference::Reference) => refused(&shown, "references to groups, such as `\\1`"),
        Some(Difference::Lacks(what)) => refused(&shown, what),
        Some(Difference::Reads(how)) => {
            Verdict::Doubtful(format!("Google reads {shown} as RE2 does, {how}; write it otherwise"))
        }
    }
}

fn refused(shown: &str, what: &str) -> Verdict {
    Verdict::Refused(format!(
        "Google's regular expressions (RE2) do not have {what}, as in {shown}; write it otherwise"
    ))
}

/// What follows from an error of this program's library.
fn fault(shown: &str, error: &ast::Error) -> Verdict {
    let wrong = |advice: &str| format!("{shown} is not a regular expression ({}); {advice}", error.kind());
    let escaped = "put a backslash before a character that is meant as itself";
    let are_refused = matches!(
        error.kind(),
        ErrorKind::GroupUnclosed
            | ErrorKind::GroupUnopened
            | ErrorKind::RepetitionMissing
            | ErrorKind::FlagUnrecognized
            | ErrorKind::EscapeUnrecognized
            | ErrorKind::EscapeUnexpectedEof
    );
    if *error.kind() == ErrorKind::UnsupportedLookAround {
        Verdict::Refused(format!(
            "Google's regular expressions (RE2) do not have look-ahead and look-behind, as in {shown}; write two conditions, \
             joined by `and`, one of them with `not`"
        ))
    } else if *error.kind() == ErrorKind::EscapeUnrecognized && RE2_ESCAPES.contains(&error_text(error)) {
        // RE2 has it, and what follows cannot be judged here.
        Verdict::Good
    } else if are_refused {
        Verdict::Refused(wrong(escaped))
    } else {
        Verdict::Doubtful(wrong(escaped))
    }
}

/// The part of the pattern that an error is about.
fn error_text(error: &ast::Error) -> &str {
    let span = error.span();
    error.pattern().get(span.start.offset..span.end.offset).unwrap_or_default()
}

/// How RE2 differs.
#[derive(Clone, Copy, Debug)]
enum Difference {
    /// It is a reference to a group, which the library reads as an octal number.
    Reference,
    /// RE2 refuses it.
    Lacks(&'static str),
    /// RE2 reads it otherwise.
    Reads(&'static str),
}

struct Differences(Vec<Difference>);

impl ast::Visitor for Differences {
    type Output = Vec<Difference>;
    type Err = Infallible;

    fn finish(self) -> Result<Vec<Difference>, Infallible> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Infallible> {
        self.0.extend(match ast {
            Ast::Flags(set) => of_flags(&set.flags),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) => of_flags(flags),
                GroupKind::CaptureIndex(_) | GroupKind::CaptureName { .. } => None,
            },
            Ast::Literal(literal) => of_literal(literal),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::WordBoundaryStart
                | AssertionKind::WordBoundaryEnd
                | AssertionKind::WordBoundaryStartHalf
                | AssertionKind::WordBoundaryEndHalf => Some(Difference::Lacks("`\\b{…}`")),
                AssertionKind::WordBoundaryStartAngle | AssertionKind::WordBoundaryEndAngle => {
                    Some(Difference::Reads("to which `\\<` and `\\>` are just the characters"))
                }
                AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::StartText
                | AssertionKind::EndText
                | AssertionKind::WordBoundary
                | AssertionKind::NotWordBoundary => None,
            },
            Ast::Repetition(repetition) => match (&*repetition.ast, &repetition.op.kind) {
                (Ast::Repetition(_), _) => Some(Difference::Lacks("two repetitions in a row")),
                (_, RepetitionKind::Range(range)) if most(range) > MOST_REPETITIONS => {
                    Some(Difference::Lacks("more than 1000 repetitions"))
                }
                _ => None,
            },
            Ast::ClassUnicode(class) => of_class(&class.kind),
            Ast::Empty(_)
            | Ast::Dot(_)
            | Ast::ClassPerl(_)
            | Ast::ClassBracketed(_)
            | Ast::Alternation(_)
            | Ast::Concat(_) => None,
        });
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Infallible> {
        self.0.extend(match item {
            ClassSetItem::Bracketed(_) => Some(Difference::Reads("which knows no brackets inside brackets")),
            ClassSetItem::Literal(literal) => of_literal(literal),
            ClassSetItem::Unicode(class) => of_class(&class.kind),
            ClassSetItem::Empty(_)
            | ClassSetItem::Range(_)
            | ClassSetItem::Ascii(_)
            | ClassSetItem::Perl(_)
            | ClassSetItem::Union(_) => None,
        });
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), Infallible> {
        self.0.push(Difference::Reads("to which `&&`, `--` and `~~` in brackets are just the characters"));
        Ok(())
    }
}

fn of_flags(flags: &Flags) -> Option<Difference> {
    flags.items.iter().find_map(|item| match item.kind {
        FlagsItemKind::Flag(Flag::IgnoreWhitespace) => Some(Difference::Lacks("the flag `x`")),
        FlagsItemKind::Flag(Flag::Unicode) => Some(Difference::Lacks("the flag `u`")),
        FlagsItemKind::Flag(Flag::CRLF) => Some(Difference::Lacks("the flag `R`")),
        FlagsItemKind::Negation
        | FlagsItemKind::Flag(Flag::CaseInsensitive | Flag::MultiLine | Flag::DotMatchesNewLine | Flag::SwapGreed) => {
            None
        }
    })
}

fn of_literal(literal: &ast::Literal) -> Option<Difference> {
    match literal.kind {
        LiteralKind::HexFixed(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong)
        | LiteralKind::HexBrace(HexLiteralKind::UnicodeShort | HexLiteralKind::UnicodeLong) => {
            Some(Difference::Lacks("`\\u`: `\\x{…}` is what they have"))
        }
        // A backslash and one digit.
        LiteralKind::Octal if literal.c != '\0' && literal.span.end.offset - literal.span.start.offset == 2 => {
            Some(Difference::Reference)
        }
        LiteralKind::Verbatim
        | LiteralKind::Meta
        | LiteralKind::Superfluous
        | LiteralKind::Octal
        | LiteralKind::HexFixed(HexLiteralKind::X)
        | LiteralKind::HexBrace(HexLiteralKind::X)
        | LiteralKind::Special(_) => None,
    }
}

fn of_class(kind: &ClassUnicodeKind) -> Option<Difference> {
    match kind {
        ClassUnicodeKind::NamedValue { .. } => Some(Difference::Lacks("`\\p{…=…}`")),
        ClassUnicodeKind::OneLetter(_) | ClassUnicodeKind::Named(_) => None,
    }
}

fn most(range: &RepetitionRange) -> u32 {
    match *range {
        RepetitionRange::Exactly(count) | RepetitionRange::AtLeast(count) | RepetitionRange::Bounded(_, count) => count,
    }
}

/// Escapes that RE2 has and the library has not.
const RE2_ESCAPES: &[&str] = &["\\Q", "\\E", "\\C"];

/// `kMaxRepeat` of RE2.
const MOST_REPETITIONS: u32 = 1000;

/// How many groups may stand inside each other: RE2 allows 1000.
const MAX_NESTING: u32 = 250;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_re2_reads_is_good() {
        for pattern in [
            "^/(blog|cart)",
            "(?i)checkout",
            "(?i:a)b",
            r"\d+\.html?$",
            "[[:alpha:]]+[^/]*",
            r"\pL\p{Greek}\P{Lu}\x41\x{10FFFF}",
            "(?P<name>a)(?:b)",
            "a{1000}",
            "a+?b??",
            r"\Qa.b\E",
            r"\C",
            r"\123\0",
            r"\/\-\_",
            r"\bword\B\z",
        ] {
            assert_eq!(judge(pattern), Verdict::Good, "{pattern}");
        }
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for (pattern, part) in [
            ("(?=a)b", "do not have look-ahead and look-behind, as in `(?=a)b`; write two conditions"),
            ("(?<!a)b", "look-ahead and look-behind"),
            (r"(a)\1", r"do not have references to groups, such as `\1`, as in"),
            ("(a", "is not a regular expression (unclosed group); put a backslash before"),
            ("a)", "unopened group"),
            ("*.html", "repetition operator missing expression"),
            ("(?>a)", "unrecognized flag"),
            (r"a\Z", "unrecognized escape sequence"),
            ("a\\", "incomplete escape sequence"),
            ("a++", "two repetitions in a row"),
            ("a{2}{3}", "two repetitions in a row"),
            ("a{1001}", "more than 1000 repetitions"),
            ("a{1,2000}", "more than 1000 repetitions"),
            ("(?x) a b", "the flag `x`"),
            ("(?u:a)", "the flag `u`"),
            (r"\u00e9", r"do not have `\u`: `\x{…}` is what they have"),
            (r"[\U000000e9]", r"`\u`"),
            (r"\b{start}a", r"`\b{…}`"),
            (r"\p{Script=Greek}", r"`\p{…=…}`"),
            ("", "an empty pattern matches everything"),
        ] {
            let Verdict::Refused(message) = judge(pattern) else { panic!("{pattern} is not refused") };
            assert!(message.contains(part) && message.contains(';'), "{pattern}: {message}");
        }
    }

    #[test]
    fn what_is_read_otherwise_is_doubtful() {
        for (pattern, part) in [
            ("[a-z&&[^aeiou]]", "just the characters"),
            ("[a[bc]]", "no brackets inside brackets"),
            (r"\<word", "just the characters"),
            ("[^[]*", "is not a regular expression (unclosed character class)"),
            ("/item/{id}", "is not a regular expression"),
            (&format!("{}a{}", "(".repeat(300), ")".repeat(300)), "is not a regular expression"),
        ] {
            let Verdict::Doubtful(message) = judge(pattern) else {
                panic!("{pattern} is not doubtful: {:?}", judge(pattern))
            };
            assert!(message.contains(part) && message.contains(';'), "{pattern}: {message}");
        }
    }
}
