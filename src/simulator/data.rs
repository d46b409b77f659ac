//! The methods of the Data API v1beta.

use std::sync::{Arc, PoisonError};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    Method,
    api::{Call, State, refused, wait},
    catalog, dates,
    errors::{Api, ApiError},
    faults::Fate,
    fields::Category,
    ledger::{Demand, Slot},
    report,
    request::{BatchRequest, CompatibilityRequest, ReportRequest},
    routes::Route,
    schema,
    site::Site,
    validate,
    wire::{self, Message},
};

/// Answers a method, or refuses to, at an instant.
pub(super) async fn answer(
    state: &Arc<State>,
    route: &Route,
    call: &Call,
    fate: &Fate,
) -> (Result<Value, ApiError>, Timestamp) {
    let arrival = state.now();
    let result = admit(state, route, call, arrival);
    let (site, requests, slot) = match result {
        Ok(admitted) => admitted,
        Err(error) => return (Err(error), arrival),
    };
    wait(fate).await;
    // Before the report, which tells how many others are in flight.
    drop(slot);
    let now = state.now();
    let result = refused(fate, Api::Data).and_then(|()| run(state, route, &site, requests, now));
    if let Err(error) = &result {
        state.note_server_error(route, error, now);
    }
    (result, now)
}

/// What a request asks for, after its body has been read.
enum Asked {
    Reports(Vec<ReportRequest>),
    Metadata,
    Compatibility(Box<CompatibilityRequest>),
}

fn admit(state: &Arc<State>, route: &Route, call: &Call, now: Timestamp) -> Result<(Arc<Site>, Asked, Slot), ApiError> {
    let id = route.property.as_deref().unwrap_or_default();
    let asked = read(route, call)?;
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        // Modelled on what users quote of UA-… and other malformed ids.
        return Err(ApiError::invalid(format!(
            "Invalid property ID: {id}. A numeric Property ID is required. To learn more about Property ID, see \
             https://developers.google.com/analytics/devguides/reporting/data/v1/property-id."
        )));
    }
    let site = state.directory.site(id).filter(|site| site.property.data_access);
    let site = site.ok_or_else(|| ApiError::no_access(Api::Data))?;
    let demand = demand(&site, route.category(), &asked);
    let slot = state.quota.admit(&demand, now).map_err(ApiError::exhausted)?;
    Ok((site, asked, slot))
}

fn read(route: &Route, call: &Call) -> Result<Asked, ApiError> {
    Ok(match route.method {
        Method::RunReport => Asked::Reports(vec![parse(call, &schema::RUN_REPORT)?]),
        Method::RunRealtimeReport => Asked::Reports(vec![parse(call, &schema::RUN_REALTIME_REPORT)?]),
        Method::BatchRunReports => Asked::Reports(batch(parse(call, &schema::BATCH_RUN_REPORTS)?, route)?),
        Method::CheckCompatibility => Asked::Compatibility(Box::new(parse(call, &schema::CHECK_COMPATIBILITY)?)),
        Method::GetMetadata
        | Method::Token
        | Method::MetadataServer
        | Method::AccountSummaries
        | Method::GetProperty => Asked::Metadata,
    })
}

fn parse<T: DeserializeOwned>(call: &Call, message: &'static Message) -> Result<T, ApiError> {
    let canonical = wire::read(&call.body, message).map_err(|violations| ApiError::bad_request(&violations))?;
    serde_json::from_value(canonical).map_err(|error| ApiError::invalid(error.to_string()))
}

fn batch(batch: BatchRequest, route: &Route) -> Result<Vec<ReportRequest>, ApiError> {
    let count = batch.requests.len();
    if count > MAX_BATCH {
        // Modelled.
        return Err(ApiError::invalid(format!(
            "Batch requests are limited to {MAX_BATCH} requests. This batch has {count} requests."
        )));
    }
    let own = format!("properties/{}", route.property.as_deref().unwrap_or_default());
    let is_other = |request: &ReportRequest| !request.property.is_empty() && request.property != own;
    if batch.requests.iter().any(is_other) {
        // Modelled.
        return Err(ApiError::invalid("All requests of a batch must be for the property of the batch, or name none."));
    }
    Ok(batch.requests)
}

fn demand<'a>(site: &'a Site, category: Category, asked: &Asked) -> Demand<'a> {
    let reports = match asked {
        Asked::Reports(reports) => reports.as_slice(),
        Asked::Metadata | Asked::Compatibility(_) => &[],
    };
    let is_thresholded = |report: &&ReportRequest| {
        let dimensions = validate::dimensions(&report.dimensions, category);
        dimensions.is_ok_and(|all| all.iter().any(|dimension| dimension.is_thresholded()))
    };
    let count = |reports: usize| u32::try_from(reports).unwrap_or(u32::MAX);
    Demand {
        property: &site.property.id,
        category,
        sizes: site.property.quota,
        requests: count(reports.len()).max(1),
        thresholded: count(reports.iter().filter(is_thresholded).count()),
    }
}

fn run(state: &State, route: &Route, site: &Site, asked: Asked, now: Timestamp) -> Result<Value, ApiError> {
    let demand = Demand { thresholded: 0, ..demand(site, route.category(), &asked) };
    match asked {
        Asked::Metadata => {
            state.quota.charge(demand.property, demand.category, 1, now);
            Ok(catalog::metadata(&site.property.id))
        }
        Asked::Compatibility(request) => {
            state.quota.charge(demand.property, demand.category, 1, now);
            catalog::compatibility(&request)
        }
        Asked::Reports(requests) if route.method == Method::BatchRunReports => {
            let reports = requests.iter().map(|request| run_report(state, site, request, &demand, now));
            let reports = reports.collect::<Result<Vec<_>, _>>()?;
            Ok(json!({"kind": "analyticsData#batchRunReports", "reports": reports}))
        }
        Asked::Reports(requests) => {
            let request = requests.into_iter().next().unwrap_or_default();
            run_report(state, site, &request, &demand, now)
        }
    }
}

fn run_report(
    state: &State,
    site: &Site,
    request: &ReportRequest,
    demand: &Demand<'_>,
    now: Timestamp,
) -> Result<Value, ApiError> {
    let today = dates::today(&site.property.zone, now);
    let minutes = if site.property.premium { 59 } else { 29 };
    let plan = validate::plan(request, demand.category, today, minutes)?;
    let mut report = report::run(&plan, site, now.as_second());
    let fixed = *state.token_cost.read().unwrap_or_else(PoisonError::into_inner);
    let tokens = fixed.unwrap_or_else(|| report::price(&plan, report.rows));
    state.quota.charge(demand.property, demand.category, tokens, now);
    if plan.return_quota {
        let thresholded = u32::from(plan.fields.iter().any(|field| field.is_thresholded()));
        let own = Demand { thresholded, ..*demand };
        report.body.insert("propertyQuota".into(), state.quota.report(&own, tokens, now));
    }
    Ok(Value::Object(report.body))
}

/// Google's limit (Data API v1beta, BatchRunReportsRequest).
const MAX_BATCH: usize = 5;
