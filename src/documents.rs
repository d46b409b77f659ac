//! The documentation, embedded in the binary so that `/docs/` always matches its version.
//!
//! Knows the files of the source tree and converts Markdown to HTML. Refuses to know HTTP. Images are removed, and so
//! are links to files that are not embedded, whose text is kept.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use crate::pages::{self, Depth};

/// An embedded document.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Document {
    /// The last component of its URL path.
    pub name: &'static str,
    /// The text, in Markdown.
    text: &'static str,
}

impl Document {
    /// Returns the document with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        DOCUMENTS.iter().find(|document| document.name == name)
    }

    /// Returns the title: the first heading.
    pub fn title(&self) -> &'static str {
        self.text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(self.name)
    }

    /// Returns the purpose: the first sentence after the heading.
    pub fn about(&self) -> &'static str {
        let is_prose = |paragraph: &&str| !paragraph.trim().is_empty() && !paragraph.starts_with(['#', '!', '|']);
        let first = self.text.split("\n\n").find(is_prose).unwrap_or_default();
        let end = SENTENCE_ENDS.iter().filter_map(|end| first.find(end)).min();
        end.and_then(|end| first.get(..=end)).unwrap_or(first)
    }

    /// Renders the document as a page.
    pub fn page(&self, telemetry_path: &str) -> String {
        let content = html! { div.document { (markup(self.text)) } };
        pages::page(self.title(), Depth::Documents, telemetry_path, &content)
    }
}

/// Renders the list of all documents.
pub fn index(telemetry_path: &str) -> String {
    let content = html! {
        div.document {
            h1 { "Documentation" }
            dl.index {
                @for document in DOCUMENTS {
                    dt { a href=(document.name) { (document.title()) } }
                    dd { (markup(document.about())) }
                }
            }
        }
    };
    pages::page("Documentation", Depth::Documents, telemetry_path, &content)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the rest of Markdown is let through")]
fn markup(text: &'static str) -> Markup {
    let parser = Parser::new_ext(text, Options::ENABLE_TABLES);
    let mut events: Vec<Event<'_>> = Vec::new();
    let mut is_dead_link = false;
    for event in parser {
        match event {
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            // The documents contain no HTML, only text such as `<name>` that parses as HTML.
            Event::Html(text) | Event::InlineHtml(text) => events.push(Event::Text(text)),
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => match target(&dest_url) {
                Some(dest_url) => events.push(Event::Start(Tag::Link { link_type, dest_url, title, id })),
                None => is_dead_link = true,
            },
            Event::End(TagEnd::Link) if std::mem::take(&mut is_dead_link) => {}
            Event::End(TagEnd::Heading(level)) => {
                name_heading(&mut events, level);
                events.push(Event::End(TagEnd::Heading(level)));
            }
            event => events.push(event),
        }
    }
    let mut html = String::with_capacity(text.len() * 2);
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    // Content that is too wide for a small screen must be scrollable with the keyboard.
    for tag in ["pre", "table"] {
        html = html.replace(&format!("<{tag}>"), &format!("<{tag} tabindex=\"0\">"));
    }
    PreEscaped(html)
}

/// Returns the target of a link as seen from `/docs/`, if it is available there.
fn target(link: &str) -> Option<CowStr<'static>> {
    if link.starts_with('#') || link.starts_with("https://") || link.starts_with("http://") {
        return Some(link.to_owned().into());
    }
    let (path, place) = link.split_once('#').map_or((link, None), |(path, place)| (path, Some(place)));
    let name = path.rsplit('/').next().and_then(Document::named)?.name;
    Some(place.map_or_else(|| name.into(), |place| format!("{name}#{place}").into()))
}

/// Gives the heading that has just ended the id that links to it use.
#[expect(clippy::wildcard_enum_match_arm, reason = "a heading's name is made of its words")]
fn name_heading(events: &mut [Event<'_>], level: HeadingLevel) {
    let is_start = |event: &Event<'_>| matches!(event, Event::Start(Tag::Heading { .. }));
    let Some(start) = events.iter().rposition(is_start) else { return };
    let texts = events.iter().skip(start).filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
        _ => None,
    });
    let name = anchor(&texts.collect::<String>());
    if let Some(heading) = events.get_mut(start) {
        *heading = Event::Start(Tag::Heading { level, id: Some(name.into()), classes: Vec::new(), attrs: Vec::new() });
    }
}

/// Returns the id of a heading by the rules of code forges, so that links work on both.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The end of a sentence that another one follows.
const SENTENCE_ENDS: &[&str] = &[". ", ".\n"];

/// All embedded documents, in the order of the index.
const DOCUMENTS: &[Document] = &[
    Document { name: "README.md", text: include_str!("../README.md") },
    Document { name: "COMMANDS.md", text: include_str!("../docs/COMMANDS.md") },
    Document { name: "CONFIGURATION.md", text: include_str!("../docs/CONFIGURATION.md") },
    Document { name: "REPORTS.md", text: include_str!("../docs/REPORTS.md") },
    Document { name: "TROUBLESHOOTING.md", text: include_str!("../docs/TROUBLESHOOTING.md") },
    Document { name: "SECURITY.md", text: include_str!("../docs/SECURITY.md") },
    Document { name: "METRICS.md", text: include_str!("../docs/METRICS.md") },
    Document { name: "FLAGS.md", text: include_str!("../docs/FLAGS.md") },
    Document { name: "FAILURES.md", text: include_str!("../docs/FAILURES.md") },
    Document { name: "DEPLOYMENT.md", text: include_str!("../docs/DEPLOYMENT.md") },
    Document { name: "RUNBOOK.md", text: include_str!("../docs/RUNBOOK.md") },
    Document { name: "HISTORY.md", text: include_str!("../docs/HISTORY.md") },
    Document { name: "DROP-DETECTION.md", text: include_str!("../docs/DROP-DETECTION.md") },
    Document { name: "FAULTS.md", text: include_str!("../docs/FAULTS.md") },
    Document { name: "RECORDINGS.md", text: include_str!("../docs/RECORDINGS.md") },
    Document { name: "PERFORMANCE.md", text: include_str!("../docs/PERFORMANCE.md") },
    Document { name: "GLOSSARY.md", text: include_str!("../docs/GLOSSARY.md") },
    Document { name: "CHANGELOG.md", text: include_str!("../CHANGELOG.md") },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str) -> String {
        Document::named(name).unwrap().page("/metrics")
    }

    #[test]
    fn headings_have_the_names_that_links_use() {
        assert_eq!(anchor("GoogleAnalyticsTrafficDrop"), "googleanalyticstrafficdrop");
        assert_eq!(anchor("What it is: a `/probe`, and more!"), "what-it-is-a-probe-and-more");
        assert!(page("RUNBOOK.md").contains("<h2 id=\"googleanalyticstrafficdrop\">"));
    }

    #[test]
    fn links_lead_to_what_is_here_and_nowhere_else() {
        assert_eq!(target("docs/RUNBOOK.md#x").as_deref(), Some("RUNBOOK.md#x"));
        assert_eq!(target("../README.md").as_deref(), Some("README.md"));
        assert_eq!(target("#here").as_deref(), Some("#here"));
        assert_eq!(target("https://example.com/a").as_deref(), Some("https://example.com/a"));
        assert_eq!(target("../deploy/prometheus/prometheus.yml"), None);
        for document in DOCUMENTS {
            let page = document.page("/metrics");
            for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                let Some((name, place)) = link.split_once('#').filter(|(name, _)| !name.starts_with("http")) else {
                    continue;
                };
                let found = if name.is_empty() { page.clone() } else { self::page(name) };
                assert!(place == "content" || found.contains(&format!("id=\"{place}\"")), "{}: {link}", document.name);
            }
            assert!(!page.contains("<img"), "{}", document.name);
        }
    }

    #[test]
    fn every_document_of_the_source_tree_is_served() {
        let directory = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
        let names = directory.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        for name in names.filter(|name| name.ends_with(".md")) {
            assert!(Document::named(&name).is_some(), "{name} is not served");
        }
    }

    #[test]
    fn the_index_lists_each_once() {
        let index = index("/metrics");
        for document in DOCUMENTS {
            assert_eq!(index.matches(&format!("<a href=\"{}\">", document.name)).count(), 1, "{index}");
            let about = document.about();
            assert!(
                !document.title().is_empty() && about.split_whitespace().count() >= 3,
                "{}: {about:?}",
                document.name
            );
            assert!(about.split_whitespace().count() <= 60 && !about.contains("```"), "{}: {about:?}", document.name);
        }
    }
}
