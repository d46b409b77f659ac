//! From a request to its response.
//!
//! Knows what each route is answered with. A request's body is never read: no endpoint has a use for it.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{
        ACCEPT, ACCEPT_ENCODING, ALLOW, AsHeaderName, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, HOST, HeaderValue, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS,
    },
    http::uri::Authority,
};
use jiff::Timestamp;

use super::{
    Readiness, Scope, Site, TelemetryPath,
    gzip::compress,
    negotiate::{self, Encoding},
    rendering::aside,
    routes::{Route, route_under},
};
use crate::{documents, names::PropertyId, pages, status::Selection, targets::ScrapeAddress};

/// Does what a request asks for. hyper leaves away the body where the method is HEAD, and counts its length anyway.
pub(super) async fn answer(site: &Site, request: &Request<Incoming>) -> Response<Bytes> {
    let uri = request.uri();
    let prefix = site.settings.base.external_prefix();
    match route_under(&site.settings, request.method(), uri.path(), uri.query()) {
        Route::Status(selection) => status(site, request.headers(), selection).await,
        Route::Documents => document(site, request.headers(), |path, _| documents::index(path.as_str())).await,
        Route::Document(found) => document(site, request.headers(), |path, _| found.page(path.as_str())).await,
        Route::Metrics(scope) => metrics(site, request.headers(), scope).await,
        Route::Healthy => text(StatusCode::OK, "Healthy.\n"),
        Route::Ready => ready(site),
        Route::Reload => reload(site).await,
        Route::ReloadDisabled => text(StatusCode::FORBIDDEN, RELOAD_DISABLED),
        Route::Config => text(StatusCode::OK, site.exporter.config_yaml()),
        Route::Probe(property) => probe(site, request.headers(), property),
        Route::Targets => targets(site, request).await,
        Route::BadRequest(why) => text(StatusCode::BAD_REQUEST, format!("Bad request: {why}.\n")),
        Route::Redirect(to) => redirect(&to),
        Route::NoTarget => text(
            StatusCode::BAD_REQUEST,
            format!("Bad request: name a property, like `{prefix}/probe?target=123456789`; {prefix}/sd lists them.\n"),
        ),
        Route::NotFound => text(StatusCode::NOT_FOUND, format!("Not found; {prefix}/ lists what there is.\n")),
        Route::MethodNotAllowed(allowed) => {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, format!("Method not allowed; use {allowed}.\n"));
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            response
        }
    }
}

async fn metrics(site: &Site, headers: &HeaderMap, scope: Scope) -> Response<Bytes> {
    let format = negotiate::format(values(headers, ACCEPT));
    let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
    let body = site.renderings.body(format, scope, encoding).await;
    encoded(response(StatusCode::OK, format.content_type(), body), encoding)
}

async fn status(site: &Site, headers: &HeaderMap, selection: Selection) -> Response<Bytes> {
    let exporter = Arc::clone(&site.exporter);
    document(site, headers, move |path, now| exporter.status_page(&selection, path, now)).await
}

/// A page, made and packed where that holds up nobody.
async fn document(
    site: &Site,
    headers: &HeaderMap,
    page: impl FnOnce(&TelemetryPath, Timestamp) -> String + Send + 'static,
) -> Response<Bytes> {
    let (path, now) = (site.settings.telemetry_path.clone(), site.clock.now());
    let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
    let mut response = aside(move || packed(HTML, page(&path, now).into_bytes(), encoding)).await;
    let policy = HeaderValue::try_from(pages::policy()).expect("the policy is plain text");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// One property is a few kilobytes, made in less time than it takes to go to another thread.
fn probe(site: &Site, headers: &HeaderMap, property: PropertyId) -> Response<Bytes> {
    let format = negotiate::format(values(headers, ACCEPT));
    match site.exporter.render_property(property, format, site.clock.now()) {
        Some(rendering) => {
            let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
            packed(format.content_type(), rendering.text, encoding)
        }
        None => {
            let prefix = site.settings.base.external_prefix();
            let message =
                format!("Bad request: property {property} is not exported; {prefix}/sd lists those that are.\n");
            text(StatusCode::BAD_REQUEST, message)
        }
    }
}

async fn targets(site: &Site, request: &Request<Incoming>) -> Response<Bytes> {
    let (headers, base) = (request.headers(), &site.settings.base);
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked = request.uri().authority().map(Authority::as_str).or(named).filter(|host| !host.is_empty());
    let Some(host) = base.host().or_else(|| asked.map(str::to_owned)) else {
        return text(StatusCode::BAD_REQUEST, "Bad request: without a Host header it is not known where to scrape.\n");
    };
    let (scheme, prefix) = (base.scheme().map(str::to_owned), base.external_prefix().to_owned());
    let address = ScrapeAddress { scheme, host, prefix };
    let (exporter, now) = (Arc::clone(&site.exporter), site.clock.now());
    let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
    let found = aside(move || Some(packed(JSON, exporter.targets(&address, now)?.into_bytes(), encoding))).await;
    match found {
        Some(response) => response,
        None => text(StatusCode::SERVICE_UNAVAILABLE, "The properties are not known yet.\n"),
    }
}

fn ready(site: &Site) -> Response<Bytes> {
    match site.exporter.readiness(site.clock.now()) {
        Readiness::Ready => text(StatusCode::OK, "Ready.\n"),
        Readiness::NotReady { reason } => text(StatusCode::SERVICE_UNAVAILABLE, format!("Not ready: {reason}\n")),
    }
}

async fn reload(site: &Site) -> Response<Bytes> {
    match site.exporter.reload().await {
        Ok(()) => text(StatusCode::OK, "Configuration reloaded.\n"),
        Err(message) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("Reload failed, the configuration before it stays in force: {message}\n"),
        ),
    }
}

/// The values of a header that are text.
fn values(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// The body in this encoding.
fn packed(content_type: &'static str, body: Vec<u8>, encoding: Encoding) -> Response<Bytes> {
    let body = match encoding {
        Encoding::Identity => Bytes::from(body),
        Encoding::Gzip => compress(&body),
    };
    encoded(response(StatusCode::OK, content_type, body), encoding)
}

/// Says how the body is encoded.
fn encoded(mut response: Response<Bytes>, encoding: Encoding) -> Response<Bytes> {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if encoding == Encoding::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Not for ever: another start may have another prefix, and browsers would remember this one.
fn redirect(to: &str) -> Response<Bytes> {
    let mut response = text(StatusCode::FOUND, format!("See {to}\n"));
    let location = HeaderValue::try_from(to).expect("the characters of a prefix are those of a header");
    response.headers_mut().insert(LOCATION, location);
    response
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    response(status, TEXT, body)
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Everything here is true now and not later: a proxy that kept it would show old numbers as new.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

const TEXT: &str = "text/plain; charset=utf-8";

const JSON: &str = "application/json";

const HTML: &str = "text/html; charset=utf-8";

/// What is no page for people loads nothing, sends nothing, and is shown in no frame.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const RELOAD_DISABLED: &str =
    "Reloading over HTTP is disabled; start the exporter with --web.enable-lifecycle, or send it SIGHUP.\n";
