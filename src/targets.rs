//! The properties as targets for Prometheus: what `/sd` answers.
//!
//! Format: prometheus.io/docs/prometheus/latest/http_sd. Knows which label of a target says what. Refuses to know tasks and
//! HTTP. Each property is a target group of its own, since labels belong to groups.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{names::PropertyId, properties::PropertyInfo};

/// Where Prometheus is to scrape.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScrapeAddress {
    /// `http` or `https`; without it the scrape configuration's own.
    pub scheme: Option<String>,
    /// The external URL's host, or else the one where Prometheus has asked; with a port where that needs one.
    pub host: String,
    /// What all paths begin with, such as `/ga`; may be empty.
    pub prefix: String,
}

/// The properties as a JSON list.
pub fn to_json<'a>(
    properties: impl Iterator<Item = (PropertyId, &'a PropertyInfo)>,
    address: &ScrapeAddress,
) -> String {
    let groups: Vec<Group<'_>> = properties.map(|(id, info)| Group::new(id, info, address)).collect();
    serde_json::to_string(&groups).expect("texts and maps of texts can be written")
}

#[derive(Serialize)]
struct Group<'a> {
    targets: [&'a str; 1],
    labels: BTreeMap<String, String>,
}

impl<'a> Group<'a> {
    fn new(id: PropertyId, info: &PropertyInfo, address: &'a ScrapeAddress) -> Self {
        let mut labels = BTreeMap::from([
            ("__metrics_path__".to_owned(), format!("{}/probe", address.prefix)),
            ("__param_target".to_owned(), id.to_string()),
            (format!("{META}property_id"), id.to_string()),
        ]);
        labels.extend(address.scheme.clone().map(|scheme| ("__scheme__".to_owned(), scheme)));
        labels.extend(info.labels_of(id).map(|(name, value)| (format!("{META}{name}"), value.into_owned())));
        Self { targets: [&address.host], labels }
    }
}

/// What labels begin with that only relabelling sees.
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
        let address = ScrapeAddress { host: "exporter:9674".to_owned(), ..ScrapeAddress::default() };
        let json = to_json([(id, &info)].into_iter(), &address);
        let groups: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!([{
            "targets": ["exporter:9674"],
            "labels": {
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
            },
        }]);
        assert_eq!(groups, expected);
    }

    #[test]
    fn an_external_url_says_scheme_host_and_path() {
        let address = ScrapeAddress {
            scheme: Some("https".to_owned()),
            host: "example.com".to_owned(),
            prefix: "/ga".to_owned(),
        };
        let info = PropertyInfo::default();
        let json = to_json([("123".parse().unwrap(), &info)].into_iter(), &address);
        let groups: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(groups[0]["targets"], serde_json::json!(["example.com"]));
        let labels = &groups[0]["labels"];
        assert_eq!((&labels["__scheme__"], &labels["__metrics_path__"]), (&"https".into(), &"/ga/probe".into()));
    }

    #[test]
    fn no_properties_are_an_empty_list() {
        assert_eq!(to_json(std::iter::empty(), &ScrapeAddress::default()), "[]");
    }
}
