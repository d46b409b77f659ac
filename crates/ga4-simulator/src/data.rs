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
    fields::{Category, Fields},
    ledger::{Demand, Slot},
    report,
    request::{BatchRequest, CompatibilityRequest, ReportRequest},
    requested,
    routes::Route,
    schema,
    shapes::Shape,
    site::Site,
    validate,
    wire::{self, Message},
};

/// Answers or refuses a call of a method; returns the time at which the numbers are computed.
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
    // Dropped before the report, which contains the number of other requests in flight.
    drop(slot);
    let now = state.now();
    let run = Run { state, route, site: &site, shape: fate.shape(), now };
    let result = refused(fate, Api::Data, route.method).and_then(|()| run.answer(requests));
    if let Err(error) = &result {
        state.note_server_error(route, error.http, now);
    }
    (result, now)
}

/// A request after its body has been parsed.
enum Asked {
    Reports(Vec<ReportRequest>),
    Metadata,
    Compatibility(Box<CompatibilityRequest>),
}

fn admit(state: &Arc<State>, route: &Route, call: &Call, now: Timestamp) -> Result<(Arc<Site>, Asked, Slot), ApiError> {
    let id = route.property.as_deref().unwrap_or_default();
    let asked = read(route, call)?;
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        // Modelled on quotes by users of UA-… and other malformed ids.
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
    if count == 0 {
        return Err(ApiError::invalid("The batchRunReportsRequest must contain at least one runReportRequest."));
    }
    if count > MAX_BATCH {
        return Err(ApiError::invalid(format!(
            "Batch requests are limited to {MAX_BATCH} requests.\n  This batch request contains {count} requests."
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
        let fields = Fields::new(category, &site.property.custom);
        let dimensions = requested::dimensions(&report.dimensions, fields);
        dimensions.is_ok_and(|all| all.iter().any(|dimension| dimension.is_thresholded))
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

/// An authorized call of a method.
struct Run<'a> {
    state: &'a State,
    route: &'a Route,
    site: &'a Site,
    /// How a fault changes the reports.
    shape: Option<Shape>,
    now: Timestamp,
}

impl Run<'_> {
    fn answer(&self, asked: Asked) -> Result<Value, ApiError> {
        let demand = Demand { thresholded: 0, ..demand(self.site, self.route.category(), &asked) };
        match asked {
            Asked::Metadata => {
                self.state.quota.charge(demand.property, demand.category, 1, self.now);
                Ok(catalog::metadata(&self.site.property))
            }
            Asked::Compatibility(request) => {
                self.state.quota.charge(demand.property, demand.category, 1, self.now);
                catalog::compatibility(&request, &self.site.property)
            }
            Asked::Reports(requests) if self.route.method == Method::BatchRunReports => {
                let reports = requests.iter().map(|request| self.report(request, &demand));
                let reports = reports.collect::<Result<Vec<_>, _>>()?;
                Ok(json!({"kind": "analyticsData#batchRunReports", "reports": reports}))
            }
            Asked::Reports(requests) => {
                let request = requests.into_iter().next().unwrap_or_default();
                self.report(&request, &demand)
            }
        }
    }

    fn report(&self, request: &ReportRequest, demand: &Demand<'_>) -> Result<Value, ApiError> {
        let Self { state, site, now, .. } = self;
        let today = dates::today(&site.property.zone, *now);
        let minutes = if site.property.premium { 59 } else { 29 };
        let fields = Fields::new(demand.category, &site.property.custom);
        let plan = validate::plan(request, fields, today, minutes)?;
        let mut report = report::run(&plan, site, now.as_second());
        let fixed = *state.token_cost.read().unwrap_or_else(PoisonError::into_inner);
        let tokens = fixed.unwrap_or_else(|| report::price(&plan, report.rows));
        state.quota.charge(demand.property, demand.category, tokens, *now);
        if plan.return_quota {
            let thresholded = u32::from(plan.fields.iter().any(|field| field.is_thresholded));
            let own = Demand { thresholded, ..*demand };
            report.body.insert("propertyQuota".into(), state.quota.report(&own, tokens, *now));
        }
        Ok(match self.shape {
            Some(Shape::Report(shape)) => shape.change(report.body, &plan),
            Some(Shape::Listing(_) | Shape::Token(_)) | None => Value::Object(report.body),
        })
    }
}

/// Google's limit (Data API v1beta, BatchRunReportsRequest).
const MAX_BATCH: usize = 5;
