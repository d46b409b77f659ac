//! Checks one report of one property: the fields that the property does not support, and the request itself with one row.

use ga4_exporter_core::{
    chain::Chain,
    names::{Category, PropertyId, Reason, ReportName},
    quota::Allowance,
    report::{Report, Request, Unit},
    translate::{self, Outline},
    wire::{
        request::Name,
        response::{PropertyQuota, ReportResponse},
        schema::{CompatibilityRequest, Incompatible, Schema},
    },
};

use super::{
    property::Subject,
    result::{CheckResult, counted},
};
use crate::ga;

/// The tokens spent by the checks of a property.
pub(super) struct Spent {
    pub(super) allowance: Allowance,
    /// For each report: the cost of a request, and what is left of the quota afterwards.
    pub(super) costs: Vec<(ReportName, Category, f64, PropertyQuota)>,
}

/// Checks a report; the result names neither it nor its property.
pub(super) async fn check(
    subject: &Subject,
    property: PropertyId,
    report: &Report,
    schema: Option<&Schema>,
    spent: &mut Spent,
) -> CheckResult {
    if let Some(missing) = schema.and_then(|schema| missing(report, schema)) {
        return missing;
    }
    if let Err(overspent) = spent.allowance.admit() {
        return CheckResult::skipped("report", overspent.to_string());
    }
    let before = spent.allowance.spent();
    match ask(subject, property, report).await {
        Ok(outline) => {
            if let Some(quota) = &outline.quota {
                spent.allowance.on_answer(quota);
                let cost = spent.allowance.spent() - before;
                spent.costs.push((report.name.clone(), report.category, cost, quota.clone()));
            }
            let tokens = spent.allowance.spent() - before;
            answered(report, &outline, tokens, schema)
        }
        Err(error) => failed(subject, property, report, &error).await,
    }
}

/// Sends the request.
async fn ask(subject: &Subject, property: PropertyId, report: &Report) -> Result<Outline, ga::Error> {
    let accept = |response: ReportResponse| translate::outline(report, &response);
    match report.request(None) {
        Request::Core(mut request) => {
            request.selection.limit = Some(1);
            subject.client.run_report(property, &request, accept).await
        }
        Request::Realtime(mut request) => {
            request.selection.limit = Some(1);
            subject.client.run_realtime_report(property, &request, accept).await
        }
    }
}

/// Returns a result if the property does not have a field of the report.
fn missing(report: &Report, schema: &Schema) -> Option<CheckResult> {
    if report.category == Category::Realtime {
        return None;
    }
    let filtered = report.filter.dimension_names();
    let dimensions = report.dimensions.iter().map(|dimension| dimension.api_name.as_str()).chain(filtered);
    let dimension = dimensions.into_iter().find(|name| !schema.dimensions.contains(*name));
    let metric = || report.metrics.iter().find(|metric| !schema.metrics.contains_key(metric.api_name.as_str()));
    let (kind, name) = match dimension {
        Some(name) => ("dimension", name),
        None => ("metric", metric()?.api_name.as_str()),
    };
    let remedy = if name.contains(':') {
        "register it in Google Analytics under Admin > Custom definitions, or mark the event as a key event; or limit the report to \
         the properties that have it, with `properties`"
    } else {
        "correct the report's fields, or limit it to the properties that have them, with `properties`"
    };
    Some(CheckResult::failed("report", format!("the property has no {kind} `{name}`")).remedy(remedy))
}

fn answered(report: &Report, outline: &Outline, tokens: f64, schema: Option<&Schema>) -> CheckResult {
    #[expect(clippy::cast_possible_truncation, reason = "a few tokens, and never less than none")]
    let tokens = tokens as u64;
    let mut message = format!("{}, {}", counted(outline.rows, "row"), counted(tokens, "token"));
    let blocked = |name: &str| schema.and_then(|schema| schema.metrics.get(name)).copied().unwrap_or_default();
    let blocked = report.metrics.iter().filter(|metric| blocked(metric.api_name.as_str()));
    let mut hidden: Vec<String> = blocked.map(|metric| metric.name.to_string()).collect();
    hidden.extend(outline.restricted.iter().cloned());
    hidden.sort();
    hidden.dedup();
    if !hidden.is_empty() {
        message.push_str(&format!("; the account's role hides {}", hidden.join(", ")));
        return CheckResult::warning("report", message).remedy(
            "lift the restriction on cost or revenue data under Admin > Property access management, or leave these metrics out",
        );
    }
    if !outline.other_units.is_empty() {
        let other =
            |(name, unit, said): &(String, Unit, String)| format!("{name} is `{}`, Google has {said}", unit.word());
        let others: Vec<String> = outline.other_units.iter().map(other).collect();
        return CheckResult::warning("report", format!("{message}; the unit differs: {}", others.join(", ")))
            .remedy("correct `unit` of these metrics in the configuration");
    }
    let quality = &outline.quality;
    let mut doubts = Vec::new();
    if quality.sampled_ratio < 1.0 {
        doubts.push(format!("Google read {:.1} % of the events (sampling)", 100.0 * quality.sampled_ratio));
    }
    if quality.thresholded {
        doubts.push("Google withholds rows of few users (thresholding)".to_owned());
    }
    if quality.data_loss {
        doubts.push("Google merged rows into `(other)`".to_owned());
    }
    if doubts.is_empty() {
        return CheckResult::ok("report", message);
    }
    CheckResult::warning("report", format!("{message}; {}", doubts.join(", ")))
        .remedy("ask for fewer dimensions if the values have to be exact")
}

/// Returns the result for a refused report, with the incompatible fields if Google reports them.
async fn failed(subject: &Subject, property: PropertyId, report: &Report, error: &ga::Error) -> CheckResult {
    let account = subject.client.account();
    let mut message = Chain(error).to_string();
    let mut remedy = error.advice(Some(property), account.as_deref());
    if error.reason() == Reason::InvalidRequest && report.category == Category::Core {
        let refused = incompatible(subject, property, report).await;
        if !refused.is_empty() {
            message.push_str(&format!("; these do not go together with the rest: {}", refused.join(", ")));
        }
        "remove or replace the fields that Google names".clone_into(&mut remedy);
    }
    CheckResult::failed("report", message).remedy(remedy)
}

/// Returns the fields that are incompatible with the other fields of the report, if Google answers the question.
async fn incompatible(subject: &Subject, property: PropertyId, report: &Report) -> Vec<String> {
    let request = CompatibilityRequest {
        dimensions: report.dimensions.iter().map(|dimension| Name { name: dimension.api_name.clone() }).collect(),
        metrics: report.metrics.iter().map(|metric| Name { name: metric.api_name.clone() }).collect(),
        compatibility_filter: Incompatible::Only,
    };
    let Ok(refused) = subject.client.incompatible(property, &request).await else { return Vec::new() };
    let names = request.dimensions.iter().chain(&request.metrics).map(|field| field.name.as_str());
    names.filter(|name| refused.contains(*name)).map(str::to_owned).collect()
}
