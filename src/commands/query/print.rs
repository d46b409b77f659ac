//! Prints an answer for people and programs.

use std::io::{self, Write};

use super::ask::{Answered, Failure};
use crate::{cli::QueryOutput, commands::screen::Screen};
use ga4_exporter_core::report::Report;

mod csv;
mod json;
mod text;

/// Prints the answers to one query, property by property.
pub(super) struct Printer {
    output: QueryOutput,
    screen: Screen,
    report: Report,
    asked: usize,
    printed: usize,
}

impl Printer {
    /// Creates a printer for a report that is requested for this number of properties.
    pub(super) fn new(output: QueryOutput, screen: Screen, report: &Report, asked: usize) -> Self {
        Self { output, screen, report: report.clone(), asked, printed: 0 }
    }

    /// Returns the number of properties.
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// Prints what precedes the first answer.
    pub(super) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.output {
            QueryOutput::Text => Ok(()),
            QueryOutput::Csv => csv::header(&self.report, out),
            QueryOutput::Json => json::begin(out),
        }
    }

    /// Prints one answer.
    pub(super) fn answered(&mut self, out: &mut dyn Write, answered: &Answered) -> io::Result<()> {
        let is_first = self.printed == 0;
        self.printed += 1;
        match self.output {
            QueryOutput::Text => {
                if !is_first {
                    out.write_all(b"\n")?;
                }
                text::block(self.screen, &self.report, answered, self.asked > 1, out)
            }
            QueryOutput::Csv => csv::rows(answered, self.screen, out),
            QueryOutput::Json => json::result(&self.report, answered, is_first, out),
        }
    }

    /// Prints what follows the last answer.
    pub(super) fn end(&self, out: &mut dyn Write, failures: &[Failure]) -> io::Result<()> {
        match self.output {
            QueryOutput::Text | QueryOutput::Csv => Ok(()),
            QueryOutput::Json => json::end(failures, out),
        }
    }
}
