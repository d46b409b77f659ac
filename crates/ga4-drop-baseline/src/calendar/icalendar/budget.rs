//! Limits the work that calendars may cause.
//!
//! Knows work in units that do not depend on the machine, so that the same calendars give the same days everywhere.
//! Refuses to know what the work is.

/// The work left for all calendars of one configuration, so that no number of calendars can keep the exporter busy.
///
/// Each calendar may use at most half of what is left, so that something is left for the following ones.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: usize,
    steps: u32,
    days: u32,
}

/// The budget is exceeded.
#[derive(Debug)]
pub(super) struct Exhausted;

impl Budget {
    /// Creates a budget of steps, and of days that rules may produce.
    #[cfg(test)]
    pub(super) fn new(steps: u32, days: u32) -> Self {
        Self { bytes: MAX_BYTES, steps, days }
    }

    /// Spends the budget for reading this number of bytes.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Exhausted)?;
        Ok(())
    }

    /// Runs the work of one calendar with half of the remaining budget, and returns the unused part of it to the budget.
    pub(super) fn halved<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let mut half = Self { bytes: 0, steps: self.steps.div_ceil(2), days: self.days.div_ceil(2) };
        (self.steps, self.days) = (self.steps / 2, self.days / 2);
        let result = work(&mut half);
        (self.steps, self.days) = (self.steps + half.steps, self.days + half.days);
        result
    }

    /// Runs some work. If it exceeds the budget, returns the days that it used, so that other events can still be evaluated.
    pub(super) fn spend<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Exhausted>) -> Result<T, Exhausted> {
        let before = self.days;
        let result = work(self);
        if result.is_err() {
            self.days = before;
        }
        result
    }

    /// Spends this number of steps.
    pub(super) fn step(&mut self, steps: u32) -> Result<(), Exhausted> {
        self.steps = self.steps.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }

    /// Spends one day.
    pub(super) fn find(&mut self) -> Result<(), Exhausted> {
        self.days = self.days.checked_sub(1).ok_or(Exhausted)?;
        Ok(())
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self { bytes: MAX_BYTES, steps: MAX_STEPS, days: MAX_DAYS }
    }
}

/// Largest total size of all calendars, in bytes: about four seconds of work for hostile ones.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// Largest number of steps, each a comparison of a day with a rule: about two seconds of work.
const MAX_STEPS: u32 = 20_000_000;

/// Largest number of days that rules may produce: 5,000 public holidays until the last year.
const MAX_DAYS: u32 = 400_000;
