//! The output of a command: its width, whether it is a terminal, and tables that fit it.

use std::{
    borrow::Cow,
    env,
    ffi::OsString,
    io::{self, Write},
    os::fd::AsFd,
};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, Table, Width, presets};
use ga4_exporter_core::shown;

/// Describes where a command prints.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Screen {
    /// The width of a terminal in characters; `None` for a file or a pipe, whose lines may be of any length.
    pub width: Option<u16>,
    /// Whether to use colours and bold text.
    pub colour: bool,
}

/// The alignment of a table column.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Align {
    /// For text, which is wrapped if it does not fit.
    Left,
    /// For numbers, which are never wrapped.
    Right,
}

/// A cell of a table.
type Text<'a> = Cow<'a, str>;

impl Screen {
    /// Describes stdout.
    pub fn of_stdout() -> Self {
        let size = rustix::termios::tcgetwinsize(io::stdout().as_fd());
        Self::of(size.ok().map(|size| size.ws_col), |name| env::var_os(name))
    }

    /// Describes an output by the columns of its terminal, if it is one, and by environment variables. COLUMNS replaces the
    /// width of a terminal. `TERM=dumb`, NO_COLOR (no-color.org) and `CLICOLOR=0` turn colours off, and CLICOLOR_FORCE
    /// (bixense.com/clicolors) turns them on outside of terminals too.
    fn of(columns: Option<u16>, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let is = |name, value: &str| set(name).is_some_and(|found| found == value);
        let is_wanted = set("CLICOLOR_FORCE").is_some() && !is("CLICOLOR_FORCE", "0");
        let is_usual = columns.is_some() && !is("TERM", "dumb") && !is("CLICOLOR", "0");
        let wished = set("COLUMNS").and_then(|value| value.to_str()?.trim().parse().ok());
        let width = columns.map(|own| [wished.unwrap_or(0), own].into_iter().find(|width| *width > 0));
        Self {
            // A terminal without a size, such as a serial line, is one nevertheless.
            width: width.map(|width| width.unwrap_or(USUAL_WIDTH)),
            colour: set("NO_COLOR").is_none() && (is_wanted || is_usual),
        }
    }

    /// Returns whether it is a terminal, which would interpret control characters.
    pub(super) fn is_terminal(self) -> bool {
        self.width.is_some()
    }

    /// Returns the text in bold.
    pub(super) fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    /// Returns the text with an ANSI style (SGR).
    pub(super) fn styled(self, style: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Prints a table with its header, a part at a time: all rows together may need much more memory than their text.
    /// Control characters in foreign text are replaced.
    ///
    /// # Errors
    /// The table cannot be written.
    pub(super) fn print_table<'a>(
        self,
        header: &[(String, Align)],
        rows: impl Iterator<Item = Vec<Text<'a>>> + Clone,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let names = || Some(header.iter().map(|(name, _)| Cell::new(name)).collect::<Vec<_>>());
        let mut widths = part(names(), &[]).column_max_content_widths();
        for_each_part(rows.clone(), |rows| {
            let of_part = part(None, rows).column_max_content_widths();
            widths.iter_mut().zip(of_part).for_each(|(width, of_part)| *width = (*width).max(of_part));
            Ok(())
        })?;
        if let Some(width) = self.width {
            shrink(&mut widths, header, width);
        }
        let print = |mut table: Table, is_header: bool, out: &mut dyn Write| {
            arrange(&mut table, header, &widths);
            for line in table.lines() {
                let line = line.trim_end();
                let line = if is_header { self.bold(line) } else { line.to_owned() };
                out.write_all(format!("{line}\n").as_bytes())?;
            }
            Ok(())
        };
        print(part(names(), &[]), true, out)?;
        for_each_part(rows, |rows| print(part(None, rows), false, out))
    }
}

/// Calls a function with some rows at a time.
fn for_each_part<'a>(
    mut rows: impl Iterator<Item = Vec<Text<'a>>>,
    mut call: impl FnMut(&[Vec<Text<'a>>]) -> io::Result<()>,
) -> io::Result<()> {
    loop {
        let some: Vec<_> = rows.by_ref().take(PART_ROWS).collect();
        if some.is_empty() {
            return Ok(());
        }
        call(&some)?;
    }
}

/// Makes a table of a header or of some rows.
fn part(header: Option<Vec<Cell>>, rows: &[Vec<Text<'_>>]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if let Some(header) = header {
        table.set_header(header);
    }
    for row in rows {
        table.add_row(row.iter().map(|cell| Cell::new(shown::name(cell))));
    }
    table
}

/// Gives the columns these widths, so that all parts of a table have the same.
fn arrange(table: &mut Table, header: &[(String, Align)], widths: &[u16]) {
    for (index, ((_, align), width)) in header.iter().zip(widths).enumerate() {
        let Some(column) = table.column_mut(index) else { continue };
        column.set_padding((0, GAP));
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width.saturating_add(GAP))));
        if *align == Align::Right {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Makes texts narrower until the table fits: narrow columns stay as they are, and wide ones share what is left.
fn shrink(widths: &mut [u16], header: &[(String, Align)], screen: u16) {
    let gaps = GAP.saturating_mul(u16::try_from(widths.len().saturating_sub(1)).unwrap_or(u16::MAX));
    let (mut texts, mut left) = (Vec::new(), screen.saturating_sub(gaps));
    for ((_, align), width) in header.iter().zip(widths) {
        match align {
            Align::Left => texts.push(width),
            Align::Right => left = left.saturating_sub(*width),
        }
    }
    texts.sort();
    let mut columns = u16::try_from(texts.len()).unwrap_or(u16::MAX);
    for width in texts {
        *width = (*width).min((left / columns.max(1)).max(LEAST_WIDTH));
        (left, columns) = (left.saturating_sub(*width), columns.saturating_sub(1));
    }
}

/// Rows of a table that are arranged at a time.
const PART_ROWS: usize = 1_000;

/// Spaces between two columns.
const GAP: u16 = 2;

/// A text is not wrapped more narrowly, even if lines become longer than the terminal.
const LEAST_WIDTH: u16 = 8;

/// The width of a terminal that does not know its own.
const USUAL_WIDTH: u16 = 80;

#[cfg(test)]
mod tests {
    use super::*;

    fn table(screen: Screen, rows: &[[&str; 2]]) -> String {
        let header = [("page_path".to_owned(), Align::Left), ("pageviews".to_owned(), Align::Right)];
        let mut out = Vec::new();
        let rows = rows.iter().map(|row| row.iter().map(|cell| Cow::Borrowed(*cell)).collect());
        screen.print_table(&header, rows, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const ROWS: [[&str; 2]; 2] = [["/a-rather-long-path/with\u{1b}[31m/parts", "12345"], ["/日本", "7"]];

    #[test]
    fn a_file_has_columns_of_any_width() {
        let expected = "page_path                            pageviews\n\
                        /a-rather-long-path/with [31m/parts      12345\n\
                        /日本                                        7\n";
        assert_eq!(table(Screen::default(), &ROWS), expected);
    }

    #[test]
    fn a_terminal_wraps_texts_and_not_numbers() {
        let text = table(Screen { width: Some(30), colour: true }, &ROWS);
        assert!(text.starts_with("\u{1b}[1mpage_path"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains("12345\n"), "{text}");
        let narrow = table(Screen { width: Some(3), colour: false }, &ROWS);
        assert!(narrow.lines().all(|line| line.chars().count() <= 19), "{narrow}");
    }

    #[test]
    fn all_parts_of_a_table_have_the_same_columns() {
        let mut rows = vec![["/", "1"]; 2 * PART_ROWS];
        rows.push(["/long", "1234567890"]);
        let text = table(Screen::default(), &rows);
        assert_eq!(text.lines().count(), rows.len() + 1);
        assert!(text.lines().all(|line| line.len() == "page_path  1234567890".len()), "{text:.200}");
        assert_eq!(table(Screen::default(), &[]), "page_path  pageviews\n");
    }

    #[test]
    fn wide_columns_share_what_narrow_ones_leave() {
        let header = [Align::Left, Align::Right, Align::Left, Align::Left].map(|align| (String::new(), align));
        for (screen, expected) in
            [(200, [10, 5, 90, 60]), (80, [10, 5, 30, 29]), (40, [9, 5, 10, 10]), (10, [8, 5, 8, 8])]
        {
            let mut widths: [u16; 4] = [10, 5, 90, 60];
            shrink(&mut widths, &header, screen);
            assert_eq!(widths.iter().sum::<u16>(), expected.iter().sum::<u16>(), "{screen}: {widths:?}");
            assert_eq!((widths[0], widths[1]), (expected[0], expected[1]), "{screen}: {widths:?}");
        }
    }

    #[test]
    fn variables_decide_on_width_and_colours() {
        for (columns, variables, width, colour) in [
            (Some(100), &[][..], Some(100), true),
            (None, &[], None, false),
            (Some(100), &[("NO_COLOR", "1")], Some(100), false),
            (Some(100), &[("NO_COLOR", "")], Some(100), true),
            (Some(100), &[("TERM", "dumb")], Some(100), false),
            (Some(100), &[("TERM", "xterm-256color"), ("CLICOLOR", "1")], Some(100), true),
            (Some(100), &[("CLICOLOR", "0")], Some(100), false),
            (None, &[("CLICOLOR_FORCE", "1")], None, true),
            (None, &[("CLICOLOR_FORCE", "0")], None, false),
            (None, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], None, false),
            (Some(100), &[("COLUMNS", "60")], Some(60), true),
            (Some(100), &[("COLUMNS", "0")], Some(100), true),
            (Some(100), &[("COLUMNS", "wide")], Some(100), true),
            (Some(0), &[("COLUMNS", "60")], Some(60), true),
            (Some(0), &[], Some(80), true),
            (None, &[("COLUMNS", "60")], None, false),
        ] {
            let variable = |name: &str| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| value.into());
            assert_eq!(Screen::of(columns, variable), Screen { width, colour }, "{columns:?} {variables:?}");
        }
    }
}
