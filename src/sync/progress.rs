//! How far a run is: a bar on a terminal, a line of the log for each property elsewhere.

use std::io::{self, IsTerminal};

use tracing::{error, info, warn};

use super::outcome::{Ending, Outcome, Totals};

/// Shows the progress of a run.
pub struct Progress {
    #[cfg(feature = "progress-bar")]
    bar: Option<indicatif::ProgressBar>,
    is_seen: bool,
}

impl Progress {
    /// Starts with this number of properties.
    pub fn new(properties: usize) -> Self {
        let is_seen = io::stderr().is_terminal();
        Self {
            #[cfg(feature = "progress-bar")]
            bar: is_seen.then(|| bar(properties)),
            is_seen: is_seen && cfg!(feature = "progress-bar") && properties > 0,
        }
    }

    /// Records that a property ended.
    pub fn on(&self, outcome: &Outcome) {
        #[cfg(feature = "progress-bar")]
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        let Outcome { property, name, ending, work } = outcome;
        let property_name = (!name.is_empty()).then_some(name);
        let rows = super::rows_in_words(work.changed);
        let (days, requests, tokens) = (work.days, work.requests, work.tokens);
        match ending {
            Ending::Complete if self.is_seen => {}
            Ending::Complete => {
                info!(%property, property_name, days, requests, tokens, rows, "synchronised");
            }
            Ending::StoppedByQuota { last_days_complete, reason } => warn!(
                %property, property_name, days, requests, tokens, rows, last_days_complete, reason,
                "stopped early because of the quota"
            ),
            Ending::Failed(error) => {
                error!(%property, property_name, days, requests, tokens, rows, error, "cannot synchronise the property");
            }
        }
    }

    /// Records the end of the run.
    pub fn end(&self, totals: &Totals) {
        #[cfg(feature = "progress-bar")]
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let Totals { properties, failed, unfinished, work } = totals;
        let rows = super::rows_in_words(work.changed);
        let (days, requests, tokens) = (work.days, work.requests, work.tokens);
        info!(properties, failed, unfinished, days, requests, tokens, rows, "the run has ended");
    }
}

#[cfg(feature = "progress-bar")]
fn bar(properties: usize) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(u64::try_from(properties).unwrap_or(u64::MAX)).with_message("synchronising");
    let style = indicatif::ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} properties, {eta} left");
    bar.set_style(style.expect("it names nothing but what there is: see the tests"));
    bar
}

#[cfg(all(test, feature = "progress-bar"))]
mod tests {
    #[test]
    fn the_bar_can_be_made() {
        super::bar(3).finish_and_clear();
    }
}
