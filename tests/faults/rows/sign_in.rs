//! Tokens, keys and clocks.

use ga4_simulator::Effect;

use super::{BACK_OFF, HOUR, INTERVAL, UNTOUCHED_REALTIME, UNTOUCHED_TRAFFIC, failing, row};
use crate::{
    row::{Expected, Lasts, Others, Row, Values},
    trouble::Trouble,
};

pub(super) fn rows() -> Vec<Row> {
    let down = |name, effect, signs| Row {
        others: Others::Same,
        expected: without_token(),
        signs,
        ..row(name, Trouble::SignIn(effect), HOUR)
    };
    let server_error = Effect::RefuseToken(503, String::new(), String::new());
    vec![
        down("the token endpoint answers 503", server_error, &["`token_refresh_failures_total` server_error"]),
        down("the token endpoint does not answer", Effect::Hang, &["`token_refresh_failures_total` timeout"]),
        Row {
            others: Others::Same,
            // The file is read at once; the next attempt would have been minutes later.
            expected: [
                failing(&["no_credentials"], AFTER_THE_TOKEN, (50, 60), 20),
                failing(&["no_credentials"], Values::Held, (2, 5), 910),
            ],
            signs: &["`token_refresh_failures_total` invalid_key"],
            ..row("the key is deleted; then there is a new key file", Trouble::KeyDeleted, Lasts::Minutes(58))
        },
        Row {
            others: Others::Same,
            // By that clock the token lasts ten minutes less, and what is there is ten minutes older. Days go with the third
            // answer.
            expected: [
                failing(&["no_credentials"], Values::Gone(0, 0), (40, 50), BACK_OFF),
                failing(&["clock", "no_credentials"], Values::Gone(30, 190), (3, 9), BACK_OFF + INTERVAL),
            ],
            signs: &["`token_refresh_failures_total` clock"],
            ..row("this machine's clock is 10 minutes ahead", Trouble::WrongClock(600), HOUR)
        },
        // Google takes assertions that have not expired.
        Row {
            others: Others::Same,
            expected: [UNTOUCHED_REALTIME, failing(&["clock"], Values::Gone(30, 190), (4, 9), 2 * INTERVAL)],
            ..row("this machine's clock is 10 minutes behind", Trouble::WrongClock(-600), HOUR)
        },
        Row {
            expected: [UNTOUCHED_REALTIME, UNTOUCHED_TRAFFIC],
            signs: &["`token_refresh_failures_total` server_error"],
            ..row(
                "the token endpoint answers 503, and the token lasts longer",
                Trouble::SignIn(Effect::RefuseToken(503, String::new(), String::new())),
                Lasts::Minutes(45),
            )
        },
    ]
}

/// The token that there is lasts until an hour after the start.
fn without_token() -> [Expected; 2] {
    [
        failing(&["no_credentials"], AFTER_THE_TOKEN, (50, 60), BACK_OFF),
        failing(&["no_credentials"], Values::Held, (2, 5), 910),
    ]
}

const AFTER_THE_TOKEN: Values = Values::Gone(3000, 3600);
