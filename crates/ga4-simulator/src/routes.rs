//! Paths and query parameters of the simulated APIs.

use super::{
    Method,
    errors::{Api, ApiError},
    fields::Category,
    form::Form,
    wire::Violation,
};

/// A method of an API with the property in its path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) property: Option<String>,
}

impl Route {
    /// Returns the API of the method; `None` for sign-in.
    pub(super) fn api(&self) -> Option<Api> {
        match self.method {
            Method::Token | Method::MetadataServer => None,
            Method::AccountSummaries | Method::GetProperty => Some(Api::Admin),
            Method::RunReport
            | Method::BatchRunReports
            | Method::RunRealtimeReport
            | Method::GetMetadata
            | Method::CheckCompatibility => Some(Api::Data),
        }
    }

    /// Returns the category whose quota the method uses.
    pub(super) fn category(&self) -> Category {
        if self.method == Method::RunRealtimeReport { Category::Realtime } else { Category::Core }
    }
}

/// Returns the method of a path.
pub(super) fn route(http_method: &str, path: &str) -> Option<Route> {
    let plain = |method| Some(Route { method, property: None });
    match (http_method, path) {
        ("POST", "/token") => return plain(Method::Token),
        ("GET", "/") => return plain(Method::MetadataServer),
        ("GET", path) if path.starts_with("/computeMetadata/") => {
            return plain(Method::MetadataServer);
        }
        ("GET", "/v1beta/accountSummaries") => return plain(Method::AccountSummaries),
        _ => {}
    }
    let rest = path.strip_prefix("/v1beta/properties/")?;
    let of = |method, id: &str| {
        let is_segment = !id.is_empty() && !id.contains(['/', ':']);
        is_segment.then(|| Route { method, property: Some(String::from(id)) })
    };
    if http_method == "GET" {
        return match rest.strip_suffix("/metadata") {
            Some(id) => of(Method::GetMetadata, id),
            None => of(Method::GetProperty, rest),
        };
    }
    let (id, verb) = rest.split_once(':')?;
    let method = match (http_method, verb) {
        ("POST", "runReport") => Method::RunReport,
        ("POST", "batchRunReports") => Method::BatchRunReports,
        ("POST", "runRealtimeReport") => Method::RunRealtimeReport,
        ("POST", "checkCompatibility") => Method::CheckCompatibility,
        _ => return None,
    };
    of(method, id)
}

/// Rejects query parameters that Google does not know.
pub(super) fn check_query(method: Method, query: &Form) -> Result<(), ApiError> {
    let own: &[&str] =
        if method == Method::AccountSummaries { &["pageSize", "page_size", "pageToken", "page_token"] } else { &[] };
    let unknown = query.names().find(|name| !SYSTEM_PARAMETERS.contains(name) && !own.contains(name));
    let Some(name) = unknown else {
        return Ok(());
    };
    let description = format!(
        "Invalid JSON payload received. Unknown name \"{name}\": Cannot bind query parameter. Field '{name}' could not \
         be found in request message."
    );
    Err(ApiError::bad_request(&[Violation { field: String::new(), description }]))
}

/// Parameters that every Google API accepts (cloud.google.com/apis/docs/system-parameters). They have no effect here,
/// except for `$alt=json;enum-encoding=int`, which Google's Python clients send.
const SYSTEM_PARAMETERS: &[&str] = &[
    "$alt",
    "alt",
    "$fields",
    "fields",
    "$prettyPrint",
    "prettyPrint",
    "$key",
    "key",
    "access_token",
    "oauth_token",
    "$callback",
    "callback",
    "quotaUser",
    "$.xgafv",
    "upload_protocol",
    "uploadType",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_apis() {
        let property = |method, id: &str| Some(Route { method, property: Some(id.into()) });
        for (http, path, expected) in [
            ("POST", "/v1beta/properties/1:runReport", property(Method::RunReport, "1")),
            ("POST", "/v1beta/properties/1:batchRunReports", property(Method::BatchRunReports, "1")),
            ("POST", "/v1beta/properties/UA-1:runRealtimeReport", property(Method::RunRealtimeReport, "UA-1")),
            ("GET", "/v1beta/properties/1/metadata", property(Method::GetMetadata, "1")),
            ("GET", "/v1beta/properties/1", property(Method::GetProperty, "1")),
            ("GET", "/v1beta/properties/1:runReport", None),
            ("PUT", "/v1beta/properties/1:runReport", None),
            ("POST", "/v1beta/properties/1:runPivotReport", None),
            ("POST", "/v1beta/properties/:runReport", None),
            ("POST", "/v1beta/properties/1/2:runReport", None),
            ("POST", "/v1beta/accountSummaries", None),
            ("GET", "/token", None),
            ("GET", "/v1beta/properties/1/dataStreams", None),
        ] {
            assert_eq!(route(http, path), expected, "{http} {path}");
        }
    }

    #[test]
    fn query_parameters_are_googles() {
        let check = |method, query: &str| check_query(method, &Form::parse(query)).is_ok();
        assert!(check(Method::RunReport, "%24alt=json%3Benum-encoding%3Dint&prettyPrint=false"));
        assert!(!check(Method::RunReport, "pageSize=5"));
        assert!(check(Method::AccountSummaries, "pageSize=5&pageToken=x&fields=nextPageToken"));
        assert!(!check(Method::AccountSummaries, "pagesize=5"));
    }
}
