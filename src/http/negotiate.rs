//! Chooses format and encoding from the headers `Accept` and `Accept-Encoding`.
//!
//! Pure. Invariant: there is always a result, since a scrape must not fail because of a header. Invalid parts are ignored; the
//! fallback is the text format without compression.

use super::Format;

/// The encoding of a body.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Encoding {
    /// Not compressed.
    Identity,
    /// One gzip member.
    Gzip,
}

/// Returns the best format for the values of `Accept`: highest quality first, then `OpenMetrics` if it is named.
pub(super) fn format<'a>(accept: impl Iterator<Item = &'a str>) -> Format {
    let ranges: Vec<Range<'_>> = accept.flat_map(elements).filter_map(Range::parse).collect();
    let text = best_match(&ranges, "text", "plain", "0.0.4");
    let open_metrics = best_match(&ranges, "application", "openmetrics-text", "1.0.0");
    let tie_is_won = open_metrics.specificity >= Specificity::Type && open_metrics.quality > 0;
    if open_metrics.quality > text.quality || (open_metrics.quality == text.quality && tie_is_won) {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

/// Returns the best encoding for the values of `Accept-Encoding`. Only identity is allowed without being mentioned.
pub(super) fn encoding<'a>(accept_encoding: impl Iterator<Item = &'a str>) -> Encoding {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for element in accept_encoding.flat_map(elements) {
        let mut parts = split_unquoted(element, ';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let Some(quality) = quality(parts) else { continue };
        match name.as_str() {
            "gzip" | "x-gzip" => gzip = gzip.max(Some(quality)),
            "identity" => identity = Some(quality),
            "*" => any = Some(quality),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    if gzip > 0 && gzip >= identity.unwrap_or(0) { Encoding::Gzip } else { Encoding::Identity }
}

/// One range of an `Accept`, with its relevant parameters.
struct Range<'a> {
    main: &'a str,
    sub: &'a str,
    version: Option<&'a str>,
    quality: u16,
}

/// How specifically a range matches a format; the quality of the most specific match counts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Specificity {
    Nothing,
    Anything,
    MainType,
    Type,
    Version,
}

#[derive(Clone, Copy)]
struct Match {
    specificity: Specificity,
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = split_unquoted(element, ';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let version = parts
            .clone()
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim_end().eq_ignore_ascii_case("version"))
            .map(|(_, value)| value.trim_start().trim_matches('"'));
        Some(Self { main, sub, version, quality: quality(parts)? })
    }

    /// Only the version matters: every charset and escaping fits our texts.
    fn specificity(&self, main: &str, sub: &str, version: &str) -> Specificity {
        let is_main = self.main.eq_ignore_ascii_case(main);
        match (self.main, self.sub) {
            ("*", "*") => Specificity::Anything,
            (_, "*") if is_main => Specificity::MainType,
            (_, range) if is_main && range.eq_ignore_ascii_case(sub) => match self.version {
                Some(asked) if asked == version => Specificity::Version,
                Some(_) => Specificity::Nothing,
                None => Specificity::Type,
            },
            _ => Specificity::Nothing,
        }
    }
}

/// Among equally specific matches, the highest quality counts.
fn best_match(ranges: &[Range<'_>], main: &str, sub: &str, version: &str) -> Match {
    ranges
        .iter()
        .map(|range| Match { specificity: range.specificity(main, sub, version), quality: range.quality })
        .filter(|found| found.specificity > Specificity::Nothing)
        .max_by_key(|found| (found.specificity, found.quality))
        .unwrap_or(Match { specificity: Specificity::Nothing, quality: 0 })
}

/// Returns the parameter `q` in thousandths, 1000 by default; `None` if it is invalid.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> Option<u16> {
    let given = parameters.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim_end().eq_ignore_ascii_case("q").then(|| value.trim_start())
    });
    let Some(text) = given else { return Some(1000) };
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

/// The elements of a header's list.
fn elements(list: &str) -> impl Iterator<Item = &str> {
    split_unquoted(list, ',').map(str::trim).filter(|element| !element.is_empty())
}

fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> + Clone {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c| {
        let ends = c == separator && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrapers_get_the_format_that_they_prefer() {
        for (accept, expected) in [
            // Prometheus 2.42
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            // Prometheus 3
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Format::OpenMetrics,
            ),
            // Prometheus 3 with native histograms
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,\
                 application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                 application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                 text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            // scrape_protocols: [PrometheusText0.0.4]
            ("text/plain;version=0.0.4;q=0.3,*/*;q=0.2", Format::Text),
            // Telegraf, vmagent, Chrome, curl
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Format::Text),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Text),
            ("*/*", Format::Text),
        ] {
            assert_eq!(format([accept].into_iter()), expected, "{accept}");
        }
    }

    #[test]
    fn qualities_wildcards_and_ties_decide_as_the_standard_says() {
        let (open_metrics, text) = (Format::OpenMetrics, Format::Text);
        for (accept, expected) in [
            ("", text),
            ("application/openmetrics-text", open_metrics),
            ("Application/OpenMetrics-Text; Version=\"1.0.0\" ; Q=0.1", open_metrics),
            // an older version is not ours, nor is a newer one
            ("application/openmetrics-text;version=0.0.1", text),
            ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", text),
            // higher quality wins
            ("application/openmetrics-text;q=0.5,text/plain;q=0.6", text),
            ("application/openmetrics-text;q=0.501,text/plain;q=0.5", open_metrics),
            // a tie goes to the one that was named
            ("application/openmetrics-text,text/plain", open_metrics),
            ("text/plain,application/openmetrics-text", open_metrics),
            ("application/openmetrics-text,*/*", open_metrics),
            ("application/*,text/*", text),
            ("application/*", open_metrics),
            ("application/*;q=0.5,*/*;q=0.4", open_metrics),
            // the most specific range decides, whatever its place
            ("*/*,text/plain;q=0.1,application/openmetrics-text;q=0.2", open_metrics),
            ("application/openmetrics-text,application/openmetrics-text;version=1.0.0;q=0.1,text/plain;q=0.5", text),
            ("text/plain;q=0,*/*", open_metrics),
            ("application/openmetrics-text;q=0,*/*;q=0.1", text),
            // nothing acceptable
            ("image/png", text),
            ("*/*;q=0", text),
            ("application/openmetrics-text;q=0,text/plain;q=0", text),
            // what cannot be read is passed over
            ("application/openmetrics-text;q=2,text/plain;q=0.1", text),
            ("application/openmetrics-text;q=0.1234", text),
            ("application/openmetrics-text;q=", text),
            ("application/openmetrics-text;q=1.1", text),
            ("application/openmetrics-text;q=-1", text),
            (",;,openmetrics,/,application/openmetrics-text;;q=1.000,", open_metrics),
            // quotes hide separators, and a backslash in quotes hides a quote
            ("text/plain;x=\",\";q=0.1,application/openmetrics-text;q=0.9", open_metrics),
            ("text/plain;x=\"\\\",\";q=0.1,application/openmetrics-text;q=0.9", open_metrics),
            ("text/plain;q=0.1;x=\\\",application/openmetrics-text", text),
            ("application/openmetrics-text;x=\"\\\",;", open_metrics),
        ] {
            assert_eq!(format([accept].into_iter()), expected, "{accept}");
        }
    }

    #[test]
    fn several_headers_count_as_one() {
        let accept = ["text/plain;q=0.5", "application/openmetrics-text"];
        assert_eq!(format(accept.into_iter()), Format::OpenMetrics);
        assert_eq!(format(std::iter::empty()), Format::Text);
    }

    #[test]
    fn gzip_is_used_where_it_is_wanted() {
        let (gzip, identity) = (Encoding::Gzip, Encoding::Identity);
        for (accept_encoding, expected) in [
            ("gzip", gzip),
            ("x-gzip", gzip),
            ("GZip;q=0.1", gzip),
            ("deflate, gzip, br, zstd", gzip),
            ("*", gzip),
            ("gzip, identity", gzip),
            ("gzip;q=0.5, identity;q=0.4", gzip),
            ("identity;q=0, *", gzip),
            ("", identity),
            ("identity", identity),
            ("br", identity),
            ("gzip;q=0", identity),
            ("gzip;q=0, *", identity),
            ("gzip;q=0.4, identity;q=0.5", identity),
            ("*;q=0", identity),
            ("gzip;q=x", identity),
            ("identity;q=0", identity),
        ] {
            assert_eq!(encoding([accept_encoding].into_iter()), expected, "{accept_encoding}");
        }
    }
}
