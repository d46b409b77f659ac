//! The pages for people, in a real Chromium.

use std::{env, process::Command};

use ga4_simulator::{Account, Effect, Fault, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;

use crate::{
    exporter::Exporter,
    process::{Ended, Process},
    worlds::Standstill,
};

/// Opens pages, each with a name for its pictures, and looks for what is wrong with them.
async fn opened(exporter: &Exporter, pages: &[(&str, &str)]) -> Ended {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut command = Command::new("node");
    command.arg(format!("{root}/tests/e2e/browser/page.mjs"));
    command.arg(env::var("E2E_NODE").unwrap_or_else(|_| format!("{root}/target/e2e/node")));
    command.arg(format!("{root}/target/e2e/screenshots"));
    for (path, name) in pages {
        command.arg(format!("http://{}{path}", exporter.address)).arg(name);
    }
    Process::start(&mut command).ended().await
}

/// Every page that the list of documents links to, with a name for its pictures.
async fn documents(exporter: &Exporter) -> Vec<(String, String)> {
    let (_, index) = exporter.page("/docs/", "text/html").await;
    let links = index.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let documents: Vec<_> = links
        .filter_map(|link| link.strip_suffix(".md"))
        .map(|name| (format!("/docs/{name}.md"), name.to_lowercase()))
        .collect();
    assert!(documents.len() > 10, "{index}");
    documents
}

/// A thousand properties with traffic, named after the numbers.
fn thousand() -> World {
    let mut account = Account::new("104112001", "Example");
    for number in 0..1000 {
        let property = Property::new(format!("{}", 500_000_000 + number), format!("Site {number:03}"));
        account = account.property(property.pageviews_per_hour(600.0));
    }
    World::new(3).account(account)
}

#[tokio::test]
#[ignore = "needs Chromium and Node.js; see make test"]
async fn pages_are_accessible_fit_and_load_nothing() {
    let simulator = Standstill::demo().simulator().await;
    let exporter = Exporter::start(&simulator, "").await;
    exporter.ready().await;
    let mut pages: Vec<(String, String)> =
        [("/", "status"), ("/?q=nothing+like+it", "nothing"), ("/docs/", "documentation")]
            .map(|(path, name)| (path.to_owned(), name.to_owned()))
            .to_vec();
    pages.extend(documents(&exporter).await);
    let pages: Vec<_> = pages.iter().map(|(path, name)| (path.as_str(), name.as_str())).collect();
    // A few at a time, so that none waits long for all of them on a slow machine.
    for pages in pages.chunks(3) {
        let ended = opened(&exporter, pages).await;
        assert_eq!(ended.code(), Some(0), "{}{}", ended.stderr, ended.stdout);
    }
}

#[tokio::test]
#[ignore = "needs Chromium and Node.js; see make test"]
async fn names_of_strangers_run_no_script() {
    let now = Clock::system().now();
    let hostile = "<script>alert('name')</script><img src=x onerror=alert(1)><style>*{display:none}</style>";
    let account = Account::new("104112001", hostile).property(Property::new("81", hostile).pageviews_per_hour(600.0));
    let world =
        World::new(5).account(account.property(Property::new("82", "\"><svg onload=alert(2)>").without_traffic()));
    let simulator = Simulator::on_loopback(world, move || now).await.unwrap();
    let refusal = serde_json::json!({"error": {"code": 400, "message": hostile, "status": "INVALID_ARGUMENT"}});
    simulator.inject(Fault::new(Effect::Raw(400, refusal.to_string())).property("82"));
    let exporter = Exporter::start(&simulator, "").await;
    exporter.ready().await;
    let ended = opened(&exporter, &[("/?q=%3Cscript%3Ealert(3)%3C/script%3E", "search"), ("/", "hostile")]).await;
    assert_eq!(ended.code(), Some(0), "{}{}", ended.stderr, ended.stdout);
}

#[tokio::test]
#[ignore = "needs Chromium and Node.js; see make test"]
async fn a_thousand_properties_open_page_by_page() {
    let now = Clock::system().now();
    let simulator = Simulator::on_loopback(thousand(), move || now).await.unwrap();
    let exporter = Exporter::start(&simulator, "").await;
    exporter.ready().await;
    let ended = opened(&exporter, &[("/", "thousand"), ("/?sort=pageviews&page=99", "last")]).await;
    assert_eq!(ended.code(), Some(0), "{}{}", ended.stderr, ended.stdout);
}
