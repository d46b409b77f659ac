//! The host that a request names, and the site that a browser sends it from.
//!
//! Pure. RFC 9112, section 3.2, says which hosts are invalid: those that two parsers could read differently.

use hyper::{
    HeaderMap, Request, Version,
    header::{HOST, HeaderName, ORIGIN},
    http::uri::Authority,
};

use super::Base;

/// Returns the host that a request names, in its target or its header; none in HTTP/1.0, or if it is empty.
///
/// # Errors
/// What is wrong with it, as text.
pub(super) fn host<B>(request: &Request<B>) -> Result<Option<&str>, &'static str> {
    let mut named = request.headers().get_all(HOST).into_iter();
    let header = named.next();
    if named.next().is_some() {
        return Err("give one Host header");
    }
    if header.is_none() && request.version() == Version::HTTP_11 {
        return Err("HTTP/1.1 needs a Host header");
    }
    let header = match header.map(|value| value.to_str()) {
        Some(Ok(host)) if host.is_empty() || is_host(host) => Some(host),
        Some(_) => return Err("the Host header is no host"),
        None => None,
    };
    let target = request.uri().authority().map(Authority::as_str);
    if target.is_some_and(|host| !is_host(host)) {
        return Err("the request's target has no usable host");
    }
    Ok(target.or(header).filter(|host| !host.is_empty()))
}

/// Whether a browser sends this on behalf of another site's page, which must not change anything.
pub(super) fn is_foreign(headers: &HeaderMap, host: Option<&str>, base: &Base) -> bool {
    let is_of_another_site = |value: &[u8]| !matches!(value, b"same-origin" | b"none");
    let own = |authority: &str| {
        let is = |host: &str| host.eq_ignore_ascii_case(authority);
        host.is_some_and(is) || base.host().as_deref().is_some_and(is)
    };
    let is_of_another_origin = |value: &[u8]| {
        let origin = std::str::from_utf8(value).ok().and_then(|origin| origin.split_once("://"));
        !origin.is_some_and(|(_, authority)| own(authority))
    };
    headers.get_all(SEC_FETCH_SITE).iter().any(|value| is_of_another_site(value.as_bytes()))
        || headers.get_all(ORIGIN).iter().any(|value| is_of_another_origin(value.as_bytes()))
}

fn is_host(text: &str) -> bool {
    text.len() <= LONGEST_HOST && !text.contains('@') && text.parse::<Authority>().is_ok()
}

/// The longest name that DNS has, and a port.
const LONGEST_HOST: usize = 253 + 6;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests {
    use super::*;

    fn request(version: Version, target: &str, hosts: &[&str]) -> Request<()> {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn one_host_is_named() {
        let (old, new) = (Version::HTTP_10, Version::HTTP_11);
        for (version, target, hosts, expected) in [
            (new, "/sd", &["exporter:9674"][..], Some("exporter:9674")),
            (new, "/sd", &["[::1]:9674"], Some("[::1]:9674")),
            (new, "/sd", &[""], None),
            (new, "http://exporter/sd", &["proxy"], Some("exporter")),
            (old, "/sd", &[], None),
            (old, "/sd", &["exporter"], Some("exporter")),
        ] {
            assert_eq!(host(&request(version, target, hosts)), Ok(expected), "{version:?} {target} {hosts:?}");
        }
        let long = "h".repeat(260);
        for (version, target, hosts) in [
            (new, "/sd", &[][..]),
            (new, "http://exporter/sd", &[]),
            (new, "/sd", &["a", "a"]),
            (old, "/sd", &["a", "b"]),
            (new, "/sd", &["a b"]),
            (new, "/sd", &["a/b"]),
            (new, "/sd", &["user@exporter"]),
            (new, "/sd", &[&long]),
            (new, "http://user@exporter/sd", &["exporter"]),
        ] {
            assert!(host(&request(version, target, hosts)).is_err(), "{version:?} {target} {hosts:?}");
        }
    }

    #[test]
    fn pages_of_other_sites_are_foreign() {
        let outside = Base::new("https://example.com/ga".parse().unwrap(), "".parse().unwrap());
        for (name, value, expected) in [
            ("origin", "http://exporter:9674", false),
            ("origin", "HTTP://EXPORTER:9674", false),
            ("origin", "https://example.com", false),
            ("origin", "http://exporter", true),
            ("origin", "http://evil.example", true),
            ("origin", "https://example.com.evil.example", true),
            ("origin", "null", true),
            ("origin", "", true),
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "none", false),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "cross-site", true),
            ("user-agent", "curl", false),
        ] {
            let headers = [(name.parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            assert_eq!(is_foreign(&headers, Some("exporter:9674"), &outside), expected, "{name}: {value}");
        }
    }
}
