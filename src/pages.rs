//! The common parts of all HTML pages: the frame, the style and the Content-Security-Policy.
//!
//! Pages are rendered on the server, one file each, without scripts. [`maud`] escapes every text, because names of
//! properties and Google's messages are foreign text.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use crate::build::BUILD;

/// The depth of a page in the tree of paths. Relative links use it, so they also work behind a proxy that adds a path prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// `/`
    Root,
    /// `/docs/…`
    Documents,
}

impl Depth {
    /// Returns the link to a path without a leading slash.
    pub fn link(self, path: &str) -> String {
        match self {
            Self::Root => format!("./{path}"),
            Self::Documents => format!("../{path}"),
        }
    }
}

/// Renders a whole page.
pub fn page(title: &str, depth: Depth, telemetry_path: &str, content: &Markup) -> String {
    let links = [
        ("", "Status"),
        (telemetry_path.trim_start_matches('/'), "Metrics"),
        ("sd", "Targets"),
        ("config", "Configuration"),
        ("docs/", "Documentation"),
        ("-/ready", "Readiness"),
    ];
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header {
                    nav aria-label="Pages" {
                        ul { @for (path, text) in links { li { a href=(depth.link(path)) { (text) } } } }
                    }
                }
                main id="content" tabindex="-1" { (content) }
                footer {
                    p { "google_analytics_exporter " (BUILD.version) ", revision " (BUILD.revision) }
                }
            }
        }
    };
    page.into_string()
}

/// Returns the Content-Security-Policy of a page: it may load nothing and use no style but its own.
pub fn policy() -> String {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

const STYLE: &str = include_str!("pages/style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_whole_escapes_its_texts_and_loads_nothing() {
        let hostile = "</title><script>alert(1)</script>";
        let page = page(hostile, Depth::Documents, "/a/metrics", &html! { p { (hostile) } });
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{page}");
        assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("http"), "{page}");
        assert!(page.contains("<a href=\"../a/metrics\">Metrics</a>"), "{page}");
        assert!(page.contains("<a href=\"../\">Status</a>"), "{page}");
    }

    #[test]
    fn the_style_is_the_one_that_the_policy_allows() {
        let page = page("x", Depth::Root, "/metrics", &html! {});
        let (_, style) = page.split_once("<style>").unwrap();
        let (style, _) = style.split_once("</style>").unwrap();
        let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
        assert!(policy().contains(&format!("'sha256-{hash}'")));
        assert!(!page.contains("style=\""), "a style in an attribute would be ignored: {page}");
    }
}
