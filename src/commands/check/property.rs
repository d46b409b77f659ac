//! Checks one property: whether it can be read, its name and time zone, and whether every report works for it.

use ga4_exporter_core::{chain::Chain, names::Reason, plan::Plan, quota::Share};

use super::{
    is_everybodys, plan,
    report::{self, Spent},
    result::{CheckResult, Status},
};
use crate::{
    clock::Clock,
    commands::google::Target,
    ga::{self, ApiError},
};

/// The context of the checks of every property.
pub(super) struct Subject {
    pub(super) client: ga::Client,
    pub(super) plan: Plan,
    pub(super) share: Share,
    pub(super) clock: Clock,
    /// The e-mail address of the service account, if one signs in.
    pub(super) service_account: Option<String>,
}

/// The results for one property.
pub(super) struct Checked {
    /// Whether the Data API can be used at all.
    pub(super) data_api: CheckResult,
    pub(super) results: Vec<CheckResult>,
}

/// Runs all checks of a property.
pub(super) async fn check(subject: &Subject, target: Target) -> Checked {
    let id = target.id;
    let account = subject.client.account();
    let schema = subject.client.schema(id).await;
    let failed = |error: &ApiError| {
        CheckResult::failed("data_api", Chain(error).to_string()).remedy(error.advice(Some(id), account.as_deref()))
    };
    let mut data_api = match &schema {
        Err(error) if is_everybodys(error) => failed(error),
        Err(error) if error.reason() == Reason::Protocol => fields_unreadable(error),
        Ok(_) | Err(_) => CheckResult::ok("data_api", "it answers"),
    };
    let works = data_api.status != Status::Failed;
    if let Err(error) = &schema
        && works
        && error.reason() == Reason::NoAccess
    {
        return Checked { data_api, results: vec![no_access(subject, error, &target)] };
    }
    let mut results = vec![about(subject, &target).await];
    if !works {
        return Checked { data_api, results };
    }
    let mut spent = Spent::new(subject.share);
    let mut has_answer = false;
    for report in subject.plan.reports_for(id) {
        // Without the fields, the requests for the reports show what is wrong.
        let result = report::check(subject, id, report, schema.as_ref().ok(), &mut spent).await;
        has_answer |= result.status != Status::Failed;
        results.push(result.property(id).report(report.name.as_str()));
    }
    if let Err(error) = &schema
        && error.reason() == Reason::Protocol
        && !has_answer
    {
        data_api = failed(error);
    }
    results.extend(plan::check(subject, id, &spent));
    Checked { data_api, results }
}

/// Returns the result where Google's list of a property's fields cannot be read, which the exporter itself never asks for.
fn fields_unreadable(error: &ApiError) -> CheckResult {
    let problem = format!("the list of the property's fields cannot be read: {}", Chain(error));
    CheckResult::warning("data_api", problem)
        .remedy("do nothing if the reports below are ok: only `check` reads this list")
}

/// Checks what the Admin API says about the property.
async fn about(subject: &Subject, target: &Target) -> CheckResult {
    let account = subject.client.account();
    match subject.client.property(target.id).await {
        Ok(details) => {
            let level = match details.is_premium {
                Some(true) => ", Analytics 360",
                Some(false) => ", standard",
                None => "",
            };
            let message = format!("{}, {}, {}{level}", details.name, details.time_zone, details.currency);
            CheckResult::ok("property", message).property(target.id)
        }
        // This is only a warning, because the exporter uses the Admin API only for names.
        Err(error) => {
            CheckResult::warning("property", format!("its name and time zone cannot be read: {}", Chain(&error)))
                .property(target.id)
                .remedy(error.advice(Some(target.id), account.as_deref()))
        }
    }
}

fn no_access(subject: &Subject, error: &ApiError, target: &Target) -> CheckResult {
    let account = subject.client.account();
    let call = subject.service_account.as_deref().map(|email| by_call(email, target));
    CheckResult::failed("property", Chain(error).to_string())
        .property(target.id)
        .remedy(error.advice(Some(target.id), account.as_deref()))
        .call(call)
}

/// Returns a shell command that gives a service account access if the page of Google Analytics refuses its address.
fn by_call(email: &str, target: &Target) -> String {
    let id = target.id;
    format!(
        "  curl -X POST https://analyticsadmin.googleapis.com/v1alpha/properties/{id}/accessBindings \\\n    \
         -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \\\n    \
         -d '{{\"user\": \"{email}\", \"roles\": [\"predefinedRoles/viewer\"]}}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_is_ready_to_be_pasted() {
        let target = Target { id: "123".parse().unwrap(), name: String::new() };
        let text = by_call("a@b.iam.gserviceaccount.com", &target);
        assert!(text.contains("v1alpha/properties/123/accessBindings \\\n"), "{text}");
        let (_, body) = text.split_once("-d '").unwrap();
        let body: serde_json::Value = serde_json::from_str(body.split_once('\'').unwrap().0).unwrap();
        assert_eq!(
            body,
            serde_json::json!({"user": "a@b.iam.gserviceaccount.com", "roles": ["predefinedRoles/viewer"]})
        );
    }
}
