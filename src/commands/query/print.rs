//! An answer as people and programs read it.

use std::io::{self, Write};

use super::ask::{Answered, Failure};
use crate::{cli::QueryOutput, commands::screen::Screen};
use ga4_exporter_core::report::Report;

mod csv;
mod json;
mod text;

/// Prints the answers of one question, property by property.
pub(super) struct Printer {
    output: QueryOutput,
    screen: Screen,
    report: Report,
    asked: usize,
    printed: usize,
}

impl Printer {
    /// For a report that this number of properties is asked for.
    pub(super) fn new(output: QueryOutput, screen: Screen, report: &Report, asked: usize) -> Self {
        Self { output, screen, report: report.clone(), asked, printed: 0 }
    }

    /// How many properties are asked.
    pub(super) fn asked(&self) -> usize {
        self.asked
    }

    /// What stands before the first answer.
    pub(super) fn begin(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.output {
            QueryOutput::Text => Ok(()),
            QueryOutput::Csv => csv::header(&self.report, out),
            QueryOutput::Json => json::begin(out),
        }
    }

    /// One answer.
    pub(super) fn answered(&mut self, out: &mut dyn Write, answered: &Answered) -> io::Result<()> {
        let is_first = self.printed == 0;
        self.printed += 1;
        match self.output {
            QueryOutput::Text => {
                let text = text::block(self.screen, &self.report, answered, self.asked > 1);
                let space = if is_first { "" } else { "\n" };
                out.write_all(format!("{space}{text}").as_bytes())
            }
            QueryOutput::Csv => csv::rows(answered, self.screen, out),
            QueryOutput::Json => json::result(&self.report, answered, is_first, out),
        }
    }

    /// What stands behind the last one.
    pub(super) fn end(&self, out: &mut dyn Write, failures: &[Failure]) -> io::Result<()> {
        match self.output {
            QueryOutput::Text | QueryOutput::Csv => Ok(()),
            QueryOutput::Json => json::end(failures, out),
        }
    }
}
