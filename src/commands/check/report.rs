//! Checks one report of one property: whether the property has its fields, whether Google says that they go together, and the
//! request itself with one row. Only the request decides; the rest explains why it is refused.

use ga4_exporter_core::{
    chain::Chain,
    names::{Category, PropertyId, Reason, ReportName},
    quota::{Allowance, Share},
    report::{
        Report, Request, Unit,
        fields::{Absent, absent},
    },
    translate::{self, Outline},
    wire::{
        request::Name,
        response::{PropertyQuota, ReportResponse},
        schema::{CompatibilityRequest, FieldRestriction, Incompatible, Schema},
    },
};

use super::{
    property::Subject,
    result::{CheckResult, counted},
};
use crate::ga;

/// The tokens spent by the checks of a property.
pub(super) struct Spent {
    /// Core and realtime reports have buckets of their own.
    core: Allowance,
    realtime: Allowance,
    /// For each report: the cost of a request, and what is left of the quota afterwards.
    pub(super) costs: Vec<(ReportName, Category, f64, PropertyQuota)>,
    /// Whether `checkCompatibility` has answered so far. Failures count for the property, so none is repeated.
    has_compatibility: bool,
}

impl Spent {
    /// Nothing is spent yet.
    pub(super) fn new(share: Share) -> Self {
        let (core, realtime) = (Allowance::new(share), Allowance::new(share));
        Self { core, realtime, costs: Vec::new(), has_compatibility: true }
    }

    fn allowance(&mut self, category: Category) -> &mut Allowance {
        match category {
            Category::Core => &mut self.core,
            Category::Realtime => &mut self.realtime,
        }
    }

    /// Records an answer; returns the tokens that it cost.
    fn on_answer(&mut self, report: &Report, quota: &PropertyQuota) -> f64 {
        let allowance = self.allowance(report.category);
        let before = allowance.spent();
        allowance.on_answer(quota);
        let cost = allowance.spent() - before;
        self.costs.push((report.name.clone(), report.category, cost, quota.clone()));
        cost
    }
}

/// Checks a report; the result names neither it nor its property.
pub(super) async fn check(
    subject: &Subject,
    property: PropertyId,
    report: &Report,
    schema: Option<&Schema>,
    spent: &mut Spent,
) -> CheckResult {
    if let Err(overspent) = spent.allowance(report.category).admit() {
        return CheckResult::skipped("report", overspent.to_string()).remedy(overspent.remedy());
    }
    let absent = schema.map(|schema| absent(report, schema)).unwrap_or_default();
    let incompatible =
        if absent.is_empty() { incompatible(subject, property, report, spent).await } else { Vec::new() };
    match ask(subject, property, report).await {
        Ok(outline) => {
            let tokens = outline.quota.as_ref().map_or(0.0, |quota| spent.on_answer(report, quota));
            answered(subject, report, &outline, tokens, schema)
        }
        Err(error) => {
            let refusal = Refusal { absent: &absent, incompatible: &incompatible, schema };
            failed(subject, property, report, &error, &refusal)
        }
    }
}

/// Sends the request.
async fn ask(subject: &Subject, property: PropertyId, report: &Report) -> Result<Outline, ga::ApiError> {
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

/// Returns the fields of a core report that Google calls incompatible with the others. Realtime reports have no such check.
async fn incompatible(subject: &Subject, property: PropertyId, report: &Report, spent: &mut Spent) -> Vec<String> {
    if report.category == Category::Realtime || !spent.has_compatibility {
        return Vec::new();
    }
    let request = CompatibilityRequest {
        dimensions: report.dimensions.iter().map(|dimension| Name { name: dimension.api_name.clone() }).collect(),
        metrics: report.metrics.iter().map(|metric| Name { name: metric.api_name.clone() }).collect(),
        dimension_filter: report.filter.dimension_filter(),
        metric_filter: report.filter.metric_filter(),
        compatibility_filter: Incompatible::Only,
    };
    match subject.client.incompatible(property, &request).await {
        Ok(refused) => {
            let names = request.dimensions.iter().chain(&request.metrics).map(|field| field.name.as_str());
            names.filter(|name| refused.contains(*name)).map(str::to_owned).collect()
        }
        Err(error) => {
            // Google refuses to compare fields that do not go together at all; the request itself gets the same answer.
            spent.has_compatibility = error.reason() == Reason::InvalidRequest;
            Vec::new()
        }
    }
}

fn answered(
    subject: &Subject,
    report: &Report,
    outline: &Outline,
    tokens: f64,
    schema: Option<&Schema>,
) -> CheckResult {
    #[expect(clippy::cast_possible_truncation, reason = "a few tokens, and never less than none")]
    let tokens = tokens as u64;
    let mut message = format!("{}, {}", counted(outline.rows, "row"), counted(tokens, "token"));
    let names = report.metrics.iter().map(|metric| metric.api_name.as_str());
    let restriction = restriction(schema, names);
    let is_hidden = |name: &str| restriction_of(schema, name).is_any();
    let hidden = report.metrics.iter().filter(|metric| is_hidden(metric.api_name.as_str()));
    let mut hidden: Vec<String> = hidden.map(|metric| metric.name.to_string()).collect();
    hidden.extend(outline.restricted.iter().cloned());
    hidden.sort();
    hidden.dedup();
    if !hidden.is_empty() {
        message.push_str(&format!("; the account's role hides {}", hidden.join(", ")));
        return CheckResult::warning("report", message).remedy(lift(subject, restriction));
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

/// What is known about the fields of a report when Google refuses it.
struct Refusal<'a> {
    absent: &'a [Absent],
    incompatible: &'a [String],
    schema: Option<&'a Schema>,
}

/// Returns the result for a report that Google does not answer.
fn failed(
    subject: &Subject,
    property: PropertyId,
    report: &Report,
    error: &ga::ApiError,
    refusal: &Refusal<'_>,
) -> CheckResult {
    let account = subject.client.account();
    let mut message = Chain(error).to_string();
    if error.reason() != Reason::InvalidRequest {
        return CheckResult::failed("report", message).remedy(error.advice(Some(property), account.as_deref()));
    }
    if !refusal.absent.is_empty() {
        let missing: Vec<String> = refusal.absent.iter().map(ToString::to_string).collect();
        let advice: Vec<String> = refusal.absent.iter().map(Absent::advice).collect();
        let elsewhere = "or limit the report to the properties that have the field, with `properties`";
        return CheckResult::failed("report", missing.join(", ")).remedy(format!("{}; {elsewhere}", advice.join("; ")));
    }
    let filtered = report.filter.metric_names();
    let hidden: Vec<&str> =
        filtered.iter().copied().filter(|name| restriction_of(refusal.schema, name).is_any()).collect();
    if !hidden.is_empty() {
        message.push_str(&format!("; its filter uses {}, which the account's role hides", hidden.join(", ")));
        return CheckResult::failed("report", message)
            .remedy(lift(subject, restriction(refusal.schema, hidden.into_iter())));
    }
    if !refusal.incompatible.is_empty() {
        let names = refusal.incompatible.join(", ");
        message.push_str(&format!("; these do not go together with the rest: {names}"));
    } else if !names_a_field(&message, report) {
        return CheckResult::failed("report", message).remedy(error.advice(Some(property), account.as_deref()));
    }
    CheckResult::failed("report", message).remedy("remove or replace the fields that Google names")
}

/// Whether a text of Google's is about fields: those of the report by name, or fields in general.
fn names_a_field(message: &str, report: &Report) -> bool {
    let of_report = report.dimensions.iter().map(|dimension| dimension.api_name.as_str());
    let mut names = of_report.chain(report.metrics.iter().map(|metric| metric.api_name.as_str()));
    let says = |word: &str| message.to_lowercase().contains(word);
    names.any(|name| message.contains(name)) || ["field", "dimension", "metric"].into_iter().any(says)
}

/// Returns the restrictions that hide any of these metrics.
fn restriction<'a>(schema: Option<&Schema>, metrics: impl Iterator<Item = &'a str>) -> FieldRestriction {
    metrics.fold(FieldRestriction::default(), |all, name| all.and(restriction_of(schema, name)))
}

fn restriction_of(schema: Option<&Schema>, metric: &str) -> FieldRestriction {
    schema.and_then(|schema| schema.metrics.get(metric)).copied().unwrap_or_default()
}

/// Returns what lifts a restriction; if it is not known which one it is, both are named.
fn lift(subject: &Subject, restriction: FieldRestriction) -> String {
    let account = subject.client.account();
    let account = account.as_deref().unwrap_or("the account that signs in");
    let names = match (restriction.cost, restriction.revenue) {
        (true, false) => "\"No Cost Metrics\"",
        (false, true) => "\"No Revenue Metrics\"",
        (true, true) | (false, false) => "\"No Cost Metrics\" and \"No Revenue Metrics\"",
    };
    format!(
        "lift the restriction {names} of {account} in Google Analytics under Admin > Property access management, or leave these \
         metrics out"
    )
}

#[cfg(test)]
mod tests {
    use ga4_exporter_core::report::ReportSettings;

    use super::*;

    #[test]
    fn fields_are_at_fault_only_where_google_says_so() {
        let report = Report::traffic(&ReportSettings::traffic());
        for (message, expected) in [
            ("Field sessionz is not a valid metric.", true),
            ("Please remove screenPageViews to make the request compatible.", true),
            ("The dimensions & metrics are incompatible.", true),
            ("Requested entity was not found.", false),
            ("Precondition check failed.", false),
            ("", false),
        ] {
            assert_eq!(names_a_field(message, &report), expected, "{message}");
        }
    }
}
