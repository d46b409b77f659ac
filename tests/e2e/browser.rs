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
    let pages = [
        ("/", "status"),
        ("/?q=nothing+like+it", "nothing"),
        ("/docs/", "documentation"),
        ("/docs/README.md", "readme"),
        ("/docs/RUNBOOK.md", "runbook"),
        ("/docs/METRICS.md", "metrics"),
        ("/docs/FLAGS.md", "flags"),
        ("/docs/FAILURES.md", "failures"),
        ("/docs/CONFIGURATION.md", "configuration"),
        ("/docs/DEPLOYMENT.md", "deployment"),
        ("/docs/DROP-DETECTION.md", "drop-detection"),
        ("/docs/FAULTS.md", "faults"),
        ("/docs/PERFORMANCE.md", "performance"),
        ("/docs/CHANGELOG.md", "changelog"),
    ];
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
