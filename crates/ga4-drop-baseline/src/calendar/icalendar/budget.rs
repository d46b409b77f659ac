//! How much work calendars may cause.
//!
//! Knows work, in units that do not depend on the machine: the same calendars have the same days everywhere. Refuses to
//! know what the work is.

/// What is left to do for all calendars of one configuration, so that no number of them keeps the exporter busy.
///
/// No calendar gets more than half of what is left, so that one calendar leaves something to those after it.
#[derive(Clone, Debug)]
pub struct Budget {
    bytes: usize,
    steps: u32,
    days: u32,
}

/// There is more to do than is left.
#[derive(Debug)]
pub(super) struct Exhausted;

impl Budget {
    /// This number of steps, and of days that rules come to.
    #[cfg(test)]
    pub(super) fn new(steps: u32, days: u32) -> Self {
        Self { bytes: MAX_BYTES, steps, days }
    }

    /// Reads this number of bytes.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Exhausted)?;
        Ok(())
    }

    /// Does the work of one calendar with half of what is left; what that leaves is kept.
    pub(super) fn halved<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let mut half = Self { bytes: 0, steps: self.steps.div_ceil(2), days: self.days.div_ceil(2) };
        (self.steps, self.days) = (self.steps / 2, self.days / 2);
        let result = work(&mut half);
        (self.steps, self.days) = (self.steps + half.steps, self.days + half.days);
        result
    }

    /// Does some work, and gives back the days that it found where that is too much, so that other events can still be
    /// looked at.
    pub(super) fn spend<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, Exhausted>) -> Result<T, Exhausted> {
        let before = self.days;
        let result = work(self);
        if result.is_err() {
            self.days = before;
        }
        result
    }

    /// Takes this number of steps.
    pub(super) fn step(&mut self, steps: u32) -> Result<(), Exhausted> {
        self.steps = self.steps.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }

    /// Finds a day.
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

/// The most that is read of all calendars together, in bytes: about four seconds of work where they are hostile.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// The most steps, each a day compared with a rule: about two seconds of work.
const MAX_STEPS: u32 = 20_000_000;

/// The most days that rules come to: those of 5,000 public holidays until the last year.
const MAX_DAYS: u32 = 400_000;
