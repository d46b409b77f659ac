//! The properties as targets for Prometheus: what `/sd` answers.
//!
//! Format: prometheus.io/docs/prometheus/latest/http_sd. Knows the meaning of a target's labels. Refuses to know tasks,
//! HTTP, and the requested host. Each property is a target group of its own, since labels belong to groups.

use std::collections::BTreeMap;

use ga4_exporter_core::{names::PropertyId, properties::PropertyInfo};

/// Returns the labels of each property as a JSON object per line. Prometheus scrapes the targets below this prefix, such as
/// `/ga`, with this scheme, or with its own if there is none.
pub fn to_lines<'a>(
    properties: impl Iterator<Item = (PropertyId, &'a PropertyInfo)>,
    scheme: Option<&str>,
    prefix: &str,
) -> String {
    let mut lines = String::new();
    for (id, info) in properties {
        let labels = labels(id, info, scheme, prefix);
        lines.push_str(&serde_json::to_string(&labels).expect("maps of texts can be written"));
        lines.push('\n');
    }
    lines
}

fn labels(id: PropertyId, info: &PropertyInfo, scheme: Option<&str>, prefix: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([
        ("__metrics_path__".to_owned(), format!("{prefix}/probe")),
        ("__param_target".to_owned(), id.to_string()),
        (format!("{META}property_id"), id.to_string()),
    ]);
    labels.extend(scheme.map(|scheme| ("__scheme__".to_owned(), scheme.to_owned())));
    labels.extend(info.labels_of(id).map(|(name, value)| (format!("{META}{name}"), value.into_owned())));
    labels
}

/// The prefix of labels that only relabelling sees.
const META: &str = "__meta_google_analytics_";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_is_a_target_with_the_labels_of_its_info_metric() {
        let info = PropertyInfo {
            name: "A \"shop\" <script>\n".to_owned(),
            account_id: "9".to_owned(),
            labels: BTreeMap::from([("site".parse().unwrap(), "shop".to_owned())]),
            ..PropertyInfo::default()
        };
        let id = "123".parse().unwrap();
        let lines = to_lines([(id, &info)].into_iter(), None, "");
        let labels: serde_json::Value = serde_json::from_str(lines.strip_suffix('\n').unwrap()).unwrap();
        let expected = serde_json::json!({
            "__metrics_path__": "/probe",
            "__param_target": "123",
            "__meta_google_analytics_property_id": "123",
            "__meta_google_analytics_property_name": "A \"shop\" <script>\n",
            "__meta_google_analytics_property_type": "",
            "__meta_google_analytics_account_id": "9",
            "__meta_google_analytics_account_name": "9",
            "__meta_google_analytics_time_zone": "",
            "__meta_google_analytics_currency": "",
            "__meta_google_analytics_site": "shop",
        });
        assert_eq!(labels, expected);
        assert_eq!(lines.lines().count(), 1, "a line's end in a name is none in the list");
    }

    #[test]
    fn an_external_url_says_scheme_and_path() {
        let info = PropertyInfo::default();
        let lines = to_lines([("123".parse().unwrap(), &info)].into_iter(), Some("https"), "/ga");
        let labels: serde_json::Value = serde_json::from_str(&lines).unwrap();
        assert_eq!((&labels["__scheme__"], &labels["__metrics_path__"]), (&"https".into(), &"/ga/probe".into()));
    }

    #[test]
    fn no_properties_are_no_lines() {
        assert_eq!(to_lines(std::iter::empty(), None, ""), "");
    }
}
