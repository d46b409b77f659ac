//! The headers that Google's servers send, except for the length and the date, which comes from the simulator's clock.

/// Names in lower case, with their values.
pub(super) type Headers = &'static [(&'static str, &'static str)];

/// The headers of the APIs behind Google's front end.
pub(super) const API: Headers = &[
    ("content-type", "application/json; charset=UTF-8"),
    ("vary", "Origin, X-Origin, Referer"),
    ("server", "ESF"),
    ("x-xss-protection", "0"),
    ("x-frame-options", "SAMEORIGIN"),
    ("x-content-type-options", "nosniff"),
    ("cache-control", "private"),
];

/// The headers of the token endpoint.
pub(super) const TOKEN: Headers = &[
    ("content-type", "application/json; charset=utf-8"),
    ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
    ("pragma", "no-cache"),
    ("vary", "X-Origin"),
    ("server", "scaffolding on HTTPServer2"),
];

/// The headers of the front end's pages.
pub(super) const PAGE: Headers = &[("content-type", "text/html; charset=UTF-8"), ("referrer-policy", "no-referrer")];

/// The headers of the metadata server: JSON, plain text and pages.
pub(super) const METADATA_JSON: Headers = &[
    ("content-type", "application/json"),
    ("metadata-flavor", "Google"),
    ("server", "Metadata Server for VM"),
    ("x-xss-protection", "0"),
    ("x-frame-options", "SAMEORIGIN"),
];

pub(super) const METADATA_TEXT: Headers = &[
    ("content-type", "application/text"),
    ("metadata-flavor", "Google"),
    ("server", "Metadata Server for VM"),
    ("x-xss-protection", "0"),
    ("x-frame-options", "SAMEORIGIN"),
];

pub(super) const METADATA_PAGE: Headers = &[
    ("content-type", "text/html; charset=UTF-8"),
    ("metadata-flavor", "Google"),
    ("server", "Metadata Server for VM"),
    ("x-xss-protection", "0"),
    ("x-frame-options", "SAMEORIGIN"),
];
