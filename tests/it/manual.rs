//! The manual page of the Debian package, which `man` prints.
//!
//! `MANUAL_RENEW=1 cargo test --test it manual` writes it.

use std::{env, fs};

use google_analytics_exporter::commands::manual;

#[test]
fn the_debian_page_is_what_the_command_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/debian/google_analytics_exporter.1");
    let mut page = Vec::new();
    manual::page(&mut page).unwrap();
    if env::var_os("MANUAL_RENEW").is_some() {
        fs::write(path, page).unwrap();
        return;
    }
    let page = String::from_utf8(page).unwrap();
    assert!(fs::read_to_string(path).unwrap() == page, "MANUAL_RENEW=1 puts debian/google_analytics_exporter.1 right");
}
