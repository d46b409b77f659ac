//! Decides how long a rendering may be served, and when the next one is started.
//!
//! Pure: knows ages, versions and bounds as values. Refuses to know texts, locks and threads. Invariant: no scrape gets a text in
//! which a value had expired when the scrape arrived (such as at a local midnight), one that was then older than
//! [`Bounds::reuse`], or one from before the clock was set back. A scrape that waits for a rendering gets what was true when that
//! began.

use std::time::Duration;

use jiff::Timestamp;

/// When and from which version a text was rendered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stamp {
    /// The number of the rendering.
    pub(super) number: u64,
    /// The version before rendering: if it changes meanwhile, the text counts as outdated, although part of it may be new.
    pub(super) version: u64,
    /// When rendering started.
    pub(super) rendered_at: Timestamp,
    /// The time from then until the text was ready.
    pub(super) took: Duration,
    /// When the first value in it expires.
    pub(super) valid_until: Option<Timestamp>,
}

impl Stamp {
    /// The same for a text that is ready now.
    pub(super) fn made_by(self, now: Timestamp) -> Self {
        // After a clock was set back the next text is started as late as possible.
        Self { took: Duration::try_from(now.duration_since(self.rendered_at)).unwrap_or_default(), ..self }
    }
}

/// Limits of a text's age.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Bounds {
    /// While nothing has changed.
    pub(super) reuse: Duration,
    /// Once something has changed.
    pub(super) reuse_changed: Duration,
    /// How long before its end the next one is started at the earliest, while this one is served.
    pub(super) renewal: Duration,
}

impl Bounds {
    /// How long before its end the next text is started: twice the time that this one took. In a storm of scrapes, each
    /// rendering costs requests.
    fn lead(&self, took: Duration) -> Duration {
        (took * 2).clamp(self.renewal / 4, self.renewal)
    }
}

/// What the decision depends on besides the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Present {
    /// The time.
    pub(super) now: Timestamp,
    /// The version.
    pub(super) version: u64,
    /// Whether memory is short, so that existing texts should be served longer.
    pub(super) is_tight: bool,
}

/// What a scrape does with a stored text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Use {
    /// Serve it.
    Serve,
    /// Serve it and start the next one.
    ServeAndRender,
    /// Do not serve it: wait for the next one, or render it.
    Wait,
}

/// Decides what a scrape does with a text now.
pub(super) fn decide(stamp: &Stamp, present: Present, bounds: &Bounds) -> Use {
    // `None` if the clock was set back, which must not extend the life of a text.
    let Ok(age) = Duration::try_from(present.now.duration_since(stamp.rendered_at)) else { return Use::Wait };
    let has_changed = stamp.version != present.version;
    // If memory is short, there is no room for a second text.
    let (lead, ends) = match (present.is_tight, has_changed) {
        (true, _) => (Duration::ZERO, bounds.reuse),
        (false, true) => (bounds.lead(stamp.took), bounds.reuse_changed),
        (false, false) => (bounds.lead(stamp.took), bounds.reuse),
    };
    let has_expired = stamp.valid_until.is_some_and(|until| present.now >= until);
    if has_expired || age >= ends {
        Use::Wait
    } else if age >= ends.saturating_sub(lead) {
        Use::ServeAndRender
    } else {
        Use::Serve
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds {
        reuse: Duration::from_secs(1),
        reuse_changed: Duration::from_millis(500),
        renewal: Duration::from_millis(250),
    };

    fn start() -> Timestamp {
        "2026-11-23T22:59:59.9Z".parse().unwrap()
    }

    fn after(milliseconds: i64) -> Timestamp {
        start() + SignedDuration::from_millis(milliseconds)
    }

    fn stamp(valid_until: Option<Timestamp>) -> Stamp {
        Stamp { number: 1, version: 7, rendered_at: start(), took: Duration::from_millis(50), valid_until }
    }

    fn present(milliseconds: i64, has_changed: bool) -> Present {
        Present { now: after(milliseconds), version: 7 + u64::from(has_changed), is_tight: false }
    }

    #[test]
    fn a_text_serves_then_serves_while_the_next_is_made_then_is_of_no_use() {
        for (age, changed, unchanged) in [
            (0, Use::Serve, Use::Serve),
            (399, Use::Serve, Use::Serve),
            (400, Use::ServeAndRender, Use::Serve),
            (499, Use::ServeAndRender, Use::Serve),
            (500, Use::Wait, Use::Serve),
            (899, Use::Wait, Use::Serve),
            (900, Use::Wait, Use::ServeAndRender),
            (999, Use::Wait, Use::ServeAndRender),
            (1000, Use::Wait, Use::Wait),
            (-1, Use::Wait, Use::Wait),
        ] {
            for (has_changed, expected) in [(true, changed), (false, unchanged)] {
                let decided = decide(&stamp(None), present(age, has_changed), &BOUNDS);
                assert_eq!(decided, expected, "after {age} ms, changed: {has_changed}");
            }
        }
    }

    #[test]
    fn the_longer_a_text_took_the_sooner_the_next_is_begun() {
        for (took, begins) in [(0, 438), (31, 438), (50, 400), (100, 300), (125, 250), (3_000, 250)] {
            let stamp = Stamp { took: Duration::from_millis(took), ..stamp(None) };
            assert_eq!(decide(&stamp, present(begins - 1, true), &BOUNDS), Use::Serve, "{took} ms");
            assert_eq!(decide(&stamp, present(begins, true), &BOUNDS), Use::ServeAndRender, "{took} ms");
        }
    }

    #[test]
    fn at_midnight_it_is_of_no_use_however_young() {
        let midnight = Some("2026-11-23T23:00:00Z".parse().unwrap());
        for has_changed in [false, true] {
            assert_eq!(decide(&stamp(midnight), present(99, has_changed), &BOUNDS), Use::Serve);
            assert_eq!(decide(&stamp(midnight), present(100, has_changed), &BOUNDS), Use::Wait);
        }
    }

    #[test]
    fn with_little_memory_it_serves_as_long_as_it_may_and_no_other_is_made() {
        let tight = |milliseconds| Present { is_tight: true, ..present(milliseconds, true) };
        assert_eq!(decide(&stamp(None), tight(999), &BOUNDS), Use::Serve);
        assert_eq!(decide(&stamp(None), tight(1000), &BOUNDS), Use::Wait);
        assert_eq!(decide(&stamp(Some(after(300))), tight(300), &BOUNDS), Use::Wait);
    }

    #[test]
    fn without_any_reuse_a_change_is_seen_at_once() {
        let bounds = Bounds { reuse_changed: Duration::ZERO, ..BOUNDS };
        assert_eq!(decide(&stamp(None), present(0, true), &bounds), Use::Wait);
        assert_eq!(decide(&stamp(None), present(0, false), &bounds), Use::Serve);
    }

    proptest! {
        #[test]
        fn nothing_serves_beyond_its_bounds(
            age in -2_000_i64..3_000,
            took in 0_u64..5_000,
            lasts in prop::option::of(-100_i64..3_000),
            has_changed: bool,
            is_tight: bool,
        ) {
            let present = Present { is_tight, ..present(age, has_changed) };
            let stamp = Stamp { took: Duration::from_millis(took), ..stamp(lasts.map(after)) };
            if decide(&stamp, present, &BOUNDS) != Use::Wait {
                prop_assert!((0..1000).contains(&age));
                prop_assert!(is_tight || !has_changed || age < 500);
                prop_assert!(lasts.is_none_or(|lasts| age < lasts));
            }
        }
    }
}
