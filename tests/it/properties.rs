//! The command `properties`.

use ga4_simulator::{Account, Fault, Property, World};
use google_analytics_exporter::config::Config;

use crate::{
    commands::Rig,
    support::{START, world},
};

#[tokio::test]
async fn properties_are_listed_in_three_formats() {
    let rig = Rig::of(world(), START).await;
    let table = rig.run(&["properties"]).await;
    let lines: Vec<Vec<&str>> = table.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["property_id", "property_name", "property_type", "account_id", "account_name"]);
    assert_eq!(lines[1], ["313110001", "Shop", "ordinary", "104112001", "Example"]);
    let yaml = rig.run(&["properties", "--output", "yaml"]).await;
    let expected = "properties:\n  # Example (104112001)\n  - id: 313110001 # Shop\n  - id: 313110002 # News\n";
    assert_eq!(yaml.out, expected);
    assert!(Config::from_yaml(&yaml.out, std::path::Path::new("x.yml")).is_ok());
    let json = rig.run(&["properties", "--output", "json"]).await.json();
    assert_eq!(json["properties"][1]["property_name"], "News");
}

#[tokio::test]
async fn names_cannot_break_out() {
    let property = Property::new("7", "a\n- id: 8\u{1b}[31m #");
    let rig = Rig::of(World::new(1).account(Account::new("1", "x\ny: z").property(property)), START).await;
    let yaml = rig.run(&["properties", "--output", "yaml"]).await.out;
    assert_eq!(yaml.lines().count(), 3, "{yaml}");
    let config = Config::from_yaml(&yaml, std::path::Path::new("x.yml")).unwrap().config;
    assert_eq!(config.properties.len(), 1);
    assert!(!rig.run(&["properties"]).await.out.contains('\u{1b}'));
}

#[tokio::test]
async fn none_and_failures_say_what_to_do() {
    let rig = Rig::of(World::new(1), START).await;
    let ran = rig.run(&["properties", "--output", "yaml"]).await;
    assert_eq!(ran.out, "properties: []\n");
    assert!(ran.result.unwrap_err().contains("as Viewer of a property in Google Analytics"));
    let rig = Rig::of(world(), START).await;
    rig.inject(Fault::play("admin-unreadable-entry").unwrap());
    let ran = rig.run(&["properties"]).await;
    assert!(ran.result.unwrap_err().contains("cannot be read") && ran.out.contains("property_id"), "{}", ran.out);
    rig.simulator.clear_faults();
    rig.inject(Fault::play("admin-scope").unwrap());
    let ran = rig.run(&["properties"]).await;
    assert!(ran.result.unwrap_err().starts_with("the properties cannot be listed: "));
}
