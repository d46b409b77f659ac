//! Shows the progress of a query with several pages on a terminal.

/// The progress bar, drawn on stderr if that is a terminal that can move its cursor.
pub(super) struct Progress {
    #[cfg(feature = "progress-bar")]
    bar: indicatif::ProgressBar,
}

#[cfg(feature = "progress-bar")]
impl Progress {
    pub(super) fn new() -> Self {
        let bar = indicatif::ProgressBar::hidden().with_message("reading");
        let style = indicatif::ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} rows, {eta} left");
        bar.set_style(style.expect("it names nothing but what there is: see the tests"));
        bar.set_length(0);
        Self { bar }
    }

    /// Records a received page; `first` marks the first page of a property.
    pub(super) fn on_page(&self, first: bool, rows: u64, existing: u64) {
        if existing <= rows {
            return;
        }
        if first {
            self.bar.inc_length(existing);
        }
        if self.bar.is_hidden() && std::env::var_os("TERM").is_none_or(|term| term != "dumb") {
            self.bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        self.bar.inc(rows);
    }

    /// Runs `print` while the bar is hidden.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(not(feature = "progress-bar"))]
impl Progress {
    pub(super) fn new() -> Self {
        Self {}
    }

    pub(super) fn on_page(&self, _: bool, _: u64, _: u64) {}

    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        print()
    }

    pub(super) fn end(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_made() {
        let progress = Progress::new();
        progress.on_page(true, 5, 10);
        assert_eq!(progress.aside(|| 7), 7);
        progress.end();
    }
}
