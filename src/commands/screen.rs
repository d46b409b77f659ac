//! The output of a command: its width, and whether it is a terminal.

use std::{env, io, os::fd::AsFd};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table, presets};
use ga4_exporter_core::shown;

/// Describes where a command prints.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Screen {
    /// The width in characters; `None` if lines may be of any length, as in a file.
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

impl Screen {
    /// Describes stdout. NO_COLOR (no-color.org) and `TERM=dumb` turn colours off.
    pub fn of_stdout() -> Self {
        let width = rustix::termios::tcgetwinsize(io::stdout().as_fd()).ok().map(|size| size.ws_col);
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { width: width.filter(|width| *width > 0), colour: width.is_some() && !is_set("NO_COLOR") && !is_dumb }
    }

    /// Returns the text in bold.
    pub(super) fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    /// Returns the text with an ANSI style (SGR).
    pub(super) fn styled(self, style: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{style}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Formats a table with its header. Control characters in foreign text are replaced.
    pub(super) fn table<'a>(
        self,
        header: &[(String, Align)],
        rows: impl Iterator<Item = Vec<std::borrow::Cow<'a, str>>>,
    ) -> String {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        match self.width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        table.set_header(header.iter().map(|(name, _)| Cell::new(name)));
        for row in rows {
            table.add_row(row.iter().map(|cell| Cell::new(shown::name(cell))));
        }
        for (index, (_, align)) in header.iter().enumerate() {
            let Some(column) = table.column_mut(index) else { continue };
            column.set_padding((0, 2));
            if *align == Align::Right {
                column.set_cell_alignment(CellAlignment::Right);
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let mut text = String::new();
        for (index, line) in table.lines().enumerate() {
            let line = line.trim_end();
            text.push_str(&if index == 0 { self.bold(line) } else { line.to_owned() });
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(screen: Screen) -> String {
        let header = [("page_path".to_owned(), Align::Left), ("pageviews".to_owned(), Align::Right)];
        let rows = [["/a-rather-long-path/with\u{1b}[31m/parts", "12345"], ["/日本", "7"]];
        screen.table(&header, rows.iter().map(|row| row.iter().map(|cell| (*cell).into()).collect()))
    }

    #[test]
    fn a_file_has_columns_of_any_width() {
        let expected = "page_path                         pageviews\n\
                        /a-rather-long-path/with [31m/parts      12345\n";
        let text = table(Screen::default());
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!((widths[0], widths[1]), (46, 46), "{expected}{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
    }

    #[test]
    fn a_terminal_wraps_texts_and_not_numbers() {
        let text = table(Screen { width: Some(30), colour: true });
        assert!(text.starts_with("\u{1b}[1mpage_path"), "{text}");
        assert!(text.lines().skip(1).all(|line| line.chars().count() <= 30), "{text}");
        assert!(text.contains("12345\n"), "{text}");
    }
}
