//! Answers requests.
//!
//! Knows the response of each route. Never reads a request's body: no endpoint uses one.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::Incoming,
    header::{
        ACCEPT, ACCEPT_ENCODING, ALLOW, AsHeaderName, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
        CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use jiff::Timestamp;

use super::{
    Readiness, Scope, Site, TelemetryPath,
    budget::NoRoom,
    content::Content,
    gzip::{compress, compress_all},
    negotiate::{self, Encoding},
    origin::{self, is_foreign},
    routes::{Route, handler, route_under},
    target_list::Groups,
};
use ga4_exporter_core::names::{PropertyId, RefusedReason};

use crate::{documents, pages, status::Selection};

/// Answers a request, and counts it. For HEAD, hyper omits the body but keeps its length.
pub(super) async fn answer(site: &Site, request: &Request<Incoming>) -> Response<Content> {
    let response = match origin::host(request) {
        Ok(host) => routed(site, request, host).await.unwrap_or_else(|NoRoom| no_room(site)),
        Err(why) => text(StatusCode::BAD_REQUEST, format!("Bad request: {why}.\n")),
    };
    site.observer.answered(handler(&site.settings, request.uri().path()), response.status().as_u16());
    response
}

async fn routed(site: &Site, request: &Request<Incoming>, host: Option<&str>) -> Result<Response<Content>, NoRoom> {
    let uri = request.uri();
    let headers = request.headers();
    let prefix = site.settings.base.external_prefix();
    Ok(match route_under(&site.settings, request.method(), uri.path(), uri.query()) {
        Route::Status(selection) => status(site, headers, selection).await?,
        Route::Documents => document(site, headers, |path, _| documents::index(path.as_str())).await?,
        Route::Document(found) => document(site, headers, |path, _| found.page(path.as_str())).await?,
        Route::Metrics(scope) => metrics(site, headers, scope).await?,
        Route::Healthy => text(StatusCode::OK, "Healthy.\n"),
        Route::Ready => ready(site),
        Route::Reload | Route::ReloadDisabled if is_foreign(headers, host, &site.settings.base) => {
            text(StatusCode::FORBIDDEN, FOREIGN)
        }
        Route::Reload => reload(site).await,
        Route::ReloadDisabled => text(StatusCode::FORBIDDEN, RELOAD_DISABLED),
        Route::Config => response(StatusCode::OK, TEXT, site.budget.admit(site.exporter.config_yaml().into_bytes())?),
        Route::Probe(property) => probe(site, headers, property)?,
        Route::Targets => targets(site, headers, host).await?,
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
    })
}

/// The response if the memory for responses is exhausted.
fn no_room(site: &Site) -> Response<Content> {
    site.observer.refused(RefusedReason::Memory);
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "Too many slow clients; try again later.\n");
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

async fn metrics(site: &Site, headers: &HeaderMap, scope: Scope) -> Result<Response<Content>, NoRoom> {
    let format = negotiate::format(values(headers, ACCEPT));
    let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
    let body = site.renderings.body(format, scope, encoding).await?;
    Ok(encoded(response(StatusCode::OK, format.content_type(), body), encoding))
}

async fn status(site: &Site, headers: &HeaderMap, selection: Selection) -> Result<Response<Content>, NoRoom> {
    let exporter = Arc::clone(&site.exporter);
    document(site, headers, move |path, now| exporter.status_page(&selection, path, now)).await
}

/// Renders and compresses a page on a worker thread.
async fn document(
    site: &Site,
    headers: &HeaderMap,
    page: impl FnOnce(&TelemetryPath, Timestamp) -> String + Send + 'static,
) -> Result<Response<Content>, NoRoom> {
    let (path, now) = (site.settings.telemetry_path.clone(), site.clock.now());
    let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
    let page = site.page_workers.run(move || packed(page(&path, now).into_bytes(), encoding)).await;
    let mut response = encoded(response(StatusCode::OK, HTML, site.budget.admit(page)?), encoding);
    let policy = HeaderValue::try_from(pages::policy()).expect("the policy is plain text");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

/// Renders one property: a few kilobytes, faster than switching to another thread.
fn probe(site: &Site, headers: &HeaderMap, property: PropertyId) -> Result<Response<Content>, NoRoom> {
    let format = negotiate::format(values(headers, ACCEPT));
    match site.exporter.render_property(property, format, site.clock.now()) {
        Some(rendering) => {
            let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
            let body = site.budget.admit(packed(rendering.text, encoding))?;
            Ok(encoded(response(StatusCode::OK, format.content_type(), body), encoding))
        }
        None => {
            if let Readiness::NotReady { reason } = site.exporter.readiness(site.clock.now()) {
                let message = format!("Property {property} is not known yet: {reason}\n");
                return Ok(text(StatusCode::SERVICE_UNAVAILABLE, message));
            }
            let prefix = site.settings.base.external_prefix();
            let message =
                format!("Bad request: property {property} is not exported; {prefix}/sd lists those that are.\n");
            Ok(text(StatusCode::BAD_REQUEST, message))
        }
    }
}

/// Streams the list of targets without a copy per client; compressed, it is short enough to be held.
async fn targets(site: &Site, headers: &HeaderMap, host: Option<&str>) -> Result<Response<Content>, NoRoom> {
    let Some(host) = site.settings.base.host().or_else(|| host.map(str::to_owned)) else {
        let message = "Bad request: the targets need a Host header, which becomes their address.\n";
        return Ok(text(StatusCode::BAD_REQUEST, message));
    };
    let Some(lines) = site.targets.lines(site).await? else {
        return Ok(text(StatusCode::SERVICE_UNAVAILABLE, "The properties are not known yet.\n"));
    };
    let groups = Groups::new(lines, &host);
    let encoding = negotiate::encoding(values(headers, ACCEPT_ENCODING));
    let body = match encoding {
        Encoding::Identity => Content::Targets(groups),
        Encoding::Gzip => {
            let packed = site.page_workers.run(move || compress_all(groups)).await;
            site.budget.admit(packed)?.into()
        }
    };
    Ok(encoded(response(StatusCode::OK, JSON, body), encoding))
}

fn ready(site: &Site) -> Response<Content> {
    match site.exporter.readiness(site.clock.now()) {
        Readiness::Ready => text(StatusCode::OK, "Ready.\n"),
        Readiness::NotReady { reason } => text(StatusCode::SERVICE_UNAVAILABLE, format!("Not ready: {reason}\n")),
    }
}

async fn reload(site: &Site) -> Response<Content> {
    match site.exporter.reload().await {
        Ok(()) => text(StatusCode::OK, "Configuration reloaded.\n"),
        Err(message) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("Reload failed; the previous configuration stays in use: {message}\n"),
        ),
    }
}

/// Returns the values of a header that are text.
fn values(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

/// Encodes a text.
fn packed(text: Vec<u8>, encoding: Encoding) -> Vec<u8> {
    match encoding {
        Encoding::Identity => text,
        Encoding::Gzip => compress(&text),
    }
}

/// Sets the headers of the encoding.
fn encoded(mut response: Response<Content>, encoding: Encoding) -> Response<Content> {
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if encoding == Encoding::Gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// A temporary redirect: browsers remember permanent ones, and the next start may have another prefix.
fn redirect(to: &str) -> Response<Content> {
    let mut response = text(StatusCode::FOUND, format!("See {to}\n"));
    let location = HeaderValue::try_from(to).expect("the characters of a prefix are those of a header");
    response.headers_mut().insert(LOCATION, location);
    response
}

/// A short text, which does not count in the memory budget.
fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Content> {
    response(status, TEXT, body.into())
}

fn response(status: StatusCode, content_type: &'static str, body: impl Into<Content>) -> Response<Content> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    // Everything here is only true now: a proxy must not cache it.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

const TEXT: &str = "text/plain; charset=utf-8";

const JSON: &str = "application/json";

const HTML: &str = "text/html; charset=utf-8";

/// Security headers for everything but pages: load nothing, send nothing, no frames.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FOREIGN: &str = "A page of another site must not reload the configuration.\n";

const RELOAD_DISABLED: &str =
    "Reloading over HTTP is disabled; start the exporter with --web.enable-lifecycle, or send it SIGHUP.\n";
