//! Checks whether the credentials give a token, and whether this machine's clock is right.

use ga4_exporter_core::{chain::Chain, wire::ApiError};
use jiff::SignedDuration;

use super::result::{CheckResult, Status};
use crate::{auth::Unavailable, clock::monotonic, commands::google::Google};

/// Requests a token.
pub(super) async fn check(google: &Google) -> CheckResult {
    let started = monotonic();
    let token = google.tokens.token().await;
    let took = started.elapsed().as_millis();
    match token {
        Ok(token) => {
            let account = google.client.account();
            let account = account.map(|account| format!(" as {account}")).unwrap_or_default();
            let project = token.quota_project.as_deref();
            let project = project.map(|project| format!("; requests count on the Cloud project {project}"));
            CheckResult::ok("sign_in", format!("signed in{account} in {took} ms{}", project.unwrap_or_default()))
        }
        Err(Unavailable::Failed(failure)) => {
            let failure = &*failure;
            CheckResult::failed("sign_in", Chain(failure).to_string()).remedy(once(&failure.remedy()))
        }
        Err(error @ (Unavailable::Pending | Unavailable::RenewedAlready)) => {
            CheckResult::failed("sign_in", error.to_string()).remedy("check DNS, firewall and HTTPS_PROXY")
        }
    }
}

/// Rewords a remedy for a command that, unlike the exporter, does not retry.
fn once(remedy: &str) -> String {
    match remedy {
        "nothing to do but wait; it is tried again" => "try again in some minutes".to_owned(),
        _ => remedy.replace("it is tried again more slowly; ", "try again in an hour; "),
    }
}

/// Compares the clock with Google's, based on all answers so far.
pub(super) fn clock(google: &Google) -> CheckResult {
    let offset = google.witness.offset();
    let Some(ahead) = offset.ahead() else {
        return CheckResult::skipped("clock", "no response had a Date header");
    };
    let seconds = ahead.unsigned_abs().as_secs();
    if ahead == SignedDuration::ZERO {
        CheckResult::ok("clock", "this machine's clock agrees with Google's")
    } else if offset.is_trusted() {
        CheckResult::ok("clock", format!("this machine's clock is {seconds} s off, which does not matter"))
    } else {
        let error = ApiError::Clock { ahead };
        let remedy = "set this machine's clock, and let NTP keep it right (`timedatectl set-ntp true`)";
        let status = if offset.is_wrong() { Status::Failed } else { Status::Warning };
        CheckResult::new("clock", status, error.to_string()).remedy(remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_to_be_tried_again() {
        assert_eq!(once("nothing to do but wait; it is tried again"), "try again in some minutes");
        assert_eq!(once("it is tried again more slowly; find out"), "try again in an hour; find out");
        assert_eq!(once("set the clock"), "set the clock");
    }
}
