//! Pages for people: plain HTML, made on the server, without scripts and styles.

use super::Settings;

/// The page at `/`: what this is, and where the rest is.
pub(super) fn landing(settings: &Settings) -> String {
    let [name, version, revision] = [&settings.name, &settings.version, &settings.revision].map(|text| escaped(text));
    let metrics = escaped(settings.telemetry_path.as_str());
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"en\">\n\
         <head><meta charset=\"utf-8\"><title>{name}</title></head>\n\
         <body>\n\
         <h1>{name}</h1>\n\
         <p>Prometheus exporter for Google Analytics. Version {version}, revision {revision}.</p>\n\
         <ul>\n\
         <li><a href=\"{metrics}\">Metrics</a></li>\n\
         <li><a href=\"{metrics}?scope=exporter\">Metrics of the exporter itself</a></li>\n\
         <li><a href=\"/config\">Configuration</a></li>\n\
         <li><a href=\"/-/healthy\">Health</a></li>\n\
         <li><a href=\"/-/ready\">Readiness</a></li>\n\
         </ul>\n\
         </body>\n\
         </html>\n"
    )
}

/// The text such that it stands for itself between tags and in quoted attributes.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{super::Limits, *};

    #[test]
    fn the_landing_page_shows_texts_as_they_are_and_links_to_the_metrics() {
        let page = landing(&Settings {
            telemetry_path: "/a/metrics".parse().unwrap(),
            lifecycle: false,
            name: "<script>alert('x')</script>".to_owned(),
            version: "1 & 2".to_owned(),
            revision: "\"abc\"".to_owned(),
            limits: Limits::default(),
        });
        assert!(page.contains("<h1>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</h1>"), "{page}");
        assert!(page.contains("Version 1 &amp; 2, revision &quot;abc&quot;."), "{page}");
        assert!(page.contains("<a href=\"/a/metrics?scope=exporter\">"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}
