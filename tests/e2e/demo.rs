//! The demo, as somebody without a Google account runs it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use ga4_simulator::World;
use tempfile::TempDir;

use crate::{
    exporter::{Exporter, binary},
    formats::{accepted, find},
    process::Process,
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs promtool and Python: make test runs it"]
async fn the_demo_shows_eight_properties() {
    let directory = TempDir::new().unwrap();
    let exporter = demo(directory.path()).await;
    exporter.ready().await;

    let samples = accepted(&exporter).await;
    let of = |name: &str| samples.iter().filter(|sample| sample["name"] == name).count();
    assert_eq!(of("google_analytics_property_info"), 8);
    for family in ["realtime_pageviews", "realtime_5m_pageviews", "today_visitors", "trailing_28d_pageviews"] {
        assert_eq!(of(&format!("google_analytics_{family}")), 7, "{family}: all but the forbidden one");
        let silent = find(&samples, &format!("google_analytics_{family}"), World::DEMO_SILENT);
        assert_eq!(silent["value"], 0.0, "{family}");
    }
    let shop = find(&samples, "google_analytics_trailing_28d_pageviews", World::DEMO_QUOTED);
    assert!(shop["value"].as_f64().unwrap() > 100_000.0, "{shop}");
    let shop = find(&samples, "google_analytics_property_info", World::DEMO_QUOTED);
    assert_eq!(shop["labels"]["property_name"], "Café \"Zoë\" \\ Shop");
    let forbidden = find(&samples, "google_analytics_report_failure", World::DEMO_FORBIDDEN);
    assert_eq!(forbidden["labels"]["reason"], "no_access");
    assert_eq!(find(&samples, "google_analytics_report_up", World::DEMO_FORBIDDEN)["value"], 0.0);
    assert_eq!(find(&samples, "google_analytics_report_up", World::DEMO_TINY)["value"], 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_says_where_to_look_and_cleans_up() {
    for signal in ["TERM", "INT"] {
        let directory = TempDir::new().unwrap();
        let mut exporter = demo(directory.path()).await;
        let address = exporter.address.clone();
        let stdout =
            exporter.process.shows("what to do", |stdout, _| stdout.contains("Ctrl-C").then(|| stdout.to_owned()));
        let stdout = stdout.await;
        for line in
            [&format!("http://{address}/metrics"), World::DEMO_STOPPING, World::DEMO_SILENT, World::DEMO_FORBIDDEN]
        {
            assert!(stdout.contains(line), "{line}: {stdout}");
        }

        let [private] = <[_; 1]>::try_from(entries(directory.path())).expect("one temporary directory");
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o700);
        let files = entries(&private);
        assert_eq!(files.len(), 2, "a key file and a configuration: {files:?}");
        for file in files {
            assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }

        let ended = exporter.process.stopped_by(signal).await;
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        assert!(ended.stderr.contains("quota plan fits"), "{ended:?}");
        assert!(entries(directory.path()).is_empty(), "the key file is left behind");
    }
}

/// The demo on a system without certificate authorities and with odd proxies; its temporary files go into `directory`.
pub(crate) async fn demo(directory: &Path) -> Exporter {
    demo_with(directory, &[]).await
}

/// The same with further flags.
pub(crate) async fn demo_with(directory: &Path, flags: &[&str]) -> Exporter {
    let mut command = binary(directory);
    command.env("SSL_CERT_FILE", "/nonexistent/roots.pem").env("SSL_CERT_DIR", "/nonexistent");
    command.env("HTTPS_PROXY", "http://127.0.0.1:1").env("HTTP_PROXY", "http://127.0.0.1:1");
    command.args(["demo", "--web.listen-address", "127.0.0.1:0"]).args(flags);
    Exporter::of(Process::start(&mut command)).await
}

fn entries(directory: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}
