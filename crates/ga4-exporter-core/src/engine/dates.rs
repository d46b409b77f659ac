//! Withdraws dated values while the clock is wrong, and polls them again once it is right.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::{Engine, Event, PollAnswer, Polled};
use crate::{
    chain::Chain,
    clock_offset::ClockOffset,
    names::ReportName,
    schedule::{DISCARDED_IN_A_ROW, Outcome},
    store::Failure,
    wire,
};

impl Engine {
    /// Decides about an answer whose dates come from a wrong or doubtful clock; `None` if they are right. A doubtful one is
    /// polled again until there is a verdict, or until the retries are used up.
    pub(super) fn refuse_dates(&mut self, polled: &Polled, answer: &PollAnswer) -> Option<Outcome> {
        let job = &polled.poll.job;
        let is_asked_again = self.offset.is_in_doubt() && self.timetable.schedule.discarded(job) < DISCARDED_IN_A_ROW;
        if !polled.poll.report.has_dates() || !(self.offset.is_wrong() || is_asked_again) {
            return None;
        }
        self.states.update(job.property, |state| {
            state.take_metadata(&answer.time_zone, &answer.currency);
            if let Some(report) = state.report_mut(&job.report) {
                report.tokens_spent = report.tokens_spent.saturating_add(polled.tokens());
            }
        });
        if self.offset.is_wrong() {
            return Some(self.fail(polled, &clock_error(&self.offset)));
        }
        self.effects.log.push(Event::ClockInDoubt { job: job.clone() });
        Some(Outcome::Discarded { midnight: None })
    }

    /// Withdraws dated values when the clock turns out to be wrong, and polls them again when it is right.
    pub(super) fn on_offset(&mut self, now: Timestamp, offset: &ClockOffset) {
        let was_wrong = self.offset.is_wrong();
        self.offset.clone_from(offset);
        if offset.is_wrong() == was_wrong {
            return;
        }
        if was_wrong {
            self.effects.log.push(Event::ClockRight);
            self.timetable.schedule.on_clock_right(now);
            return;
        }
        let error = clock_error(offset);
        let (message, remedy) = (Chain(&error).to_string(), error.remedy(None, None));
        let failure = Failure { reason: error.reason(), message, remedy, since: now };
        let dated = self.plan.reports.iter().filter(|report| report.has_dates()).map(|report| report.name.clone());
        let dated: BTreeSet<ReportName> = dated.collect();
        for id in self.states.ids() {
            self.states.update(id, |state| state.withdraw_dates(&dated, &failure));
        }
        self.effects.log.push(Event::ClockWrong { failure });
    }
}

fn clock_error(offset: &ClockOffset) -> wire::ApiError {
    wire::ApiError::Clock { ahead: offset.ahead().unwrap_or(SignedDuration::ZERO) }
}
