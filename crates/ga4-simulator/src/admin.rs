//! The methods of the Admin API v1beta.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    Method,
    api::State,
    directory::Listing,
    errors::{Api, ApiError},
    form::Form,
    routes::Route,
    shapes::Shape,
    site::Site,
};

/// Answers a call of a method.
pub(super) fn answer(state: &State, route: &Route, query: &Form, shape: Option<Shape>) -> Result<Value, ApiError> {
    match (route.method, &route.property) {
        (Method::GetProperty, Some(id)) => property(state, id),
        _ => {
            let mut summaries = account_summaries(state, query)?;
            if let Some(Shape::Listing(shape)) = shape {
                shape.change(&mut summaries);
            }
            Ok(summaries)
        }
    }
}

/// Returns the page of the listing that a request asks for, counted from 0.
pub(super) fn page_number(query: &Form) -> Option<usize> {
    let size = page_size(query).ok()?;
    let offset = offset(query).ok()?;
    offset.checked_div(size)
}

fn account_summaries(state: &State, query: &Form) -> Result<Value, ApiError> {
    let (size, offset) = (page_size(query)?, offset(query)?);
    let page = state.directory.page(offset, size);
    let summaries: Vec<Value> = page
        .iter()
        .map(|Listing { id, name, sites }| {
            let listed = sites.iter().filter(|site| site.property.listed);
            let properties: Vec<Value> = listed.map(|site| property_summary(site)).collect();
            let mut summary = Map::new();
            summary.insert("name".into(), json!(format!("accountSummaries/{id}")));
            summary.insert("account".into(), json!(format!("accounts/{id}")));
            summary.insert("displayName".into(), json!(name));
            if !properties.is_empty() {
                summary.insert("propertySummaries".into(), Value::Array(properties));
            }
            Value::Object(summary)
        })
        .collect();
    let mut body = Map::new();
    if !summaries.is_empty() {
        body.insert("accountSummaries".into(), Value::Array(summaries));
    }
    if state.directory.len() > offset + size {
        body.insert("nextPageToken".into(), json!(page_token(offset + size)));
    }
    Ok(Value::Object(body))
}

fn property_summary(site: &Site) -> Value {
    json!({
        "property": format!("properties/{}", site.property.id),
        "displayName": site.property.name,
        "propertyType": site.property.lineage.property_type(),
        "parent": site.property.lineage.parent(&site.account_id),
    })
}

/// Unknown properties give the same error as forbidden ones.
fn property(state: &State, id: &str) -> Result<Value, ApiError> {
    let site = state.directory.site(id).ok_or_else(|| ApiError::no_access(Api::Admin))?;
    let property = &site.property;
    let level = if property.premium { "GOOGLE_ANALYTICS_360" } else { "GOOGLE_ANALYTICS_STANDARD" };
    let account = format!("accounts/{}", site.account_id);
    Ok(json!({
        "name": format!("properties/{id}"),
        "parent": property.lineage.parent(&site.account_id),
        "account": account,
        "createTime": property.created.to_string(),
        "updateTime": "2025-10-31T08:15:00.123Z",
        "displayName": property.name,
        "industryCategory": "SHOPPING",
        "timeZone": property.zone_name,
        "currencyCode": property.currency,
        "serviceLevel": level,
        "propertyType": property.lineage.property_type(),
    }))
}

/// Larger sizes are reduced to the maximum, as documented; 0 and no size mean the default.
fn page_size(query: &Form) -> Result<usize, ApiError> {
    let text = query.get("pageSize").or_else(|| query.get("page_size")).unwrap_or("0");
    let size: i32 = text
        .parse()
        .map_err(|_| ApiError::invalid(format!("Invalid value at 'page_size' (TYPE_INT32), \"{text}\"")))?;
    match usize::try_from(size) {
        Ok(0) => Ok(DEFAULT_PAGE_SIZE),
        Ok(size) => Ok(size.min(MAX_PAGE_SIZE)),
        // Modelled.
        Err(_) => Err(ApiError::invalid("The page size must not be negative.")),
    }
}

fn page_token(offset: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("accounts from {offset}"))
}

fn offset(query: &Form) -> Result<usize, ApiError> {
    let token = query.get("pageToken").or_else(|| query.get("page_token")).unwrap_or_default();
    if token.is_empty() {
        return Ok(0);
    }
    let text = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    let offset = text.and_then(|text| text.strip_prefix("accounts from ")?.parse().ok());
    // Modelled.
    offset.ok_or_else(|| ApiError::invalid("The page token is invalid."))
}

/// Counted in accounts, not in properties (Admin API v1beta, ListAccountSummariesRequest).
const DEFAULT_PAGE_SIZE: usize = 50;
const MAX_PAGE_SIZE: usize = 200;
