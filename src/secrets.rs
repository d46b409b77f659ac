//! Removes secrets of a request from the texts of its answer.
//!
//! A server may echo what was sent, as it was or escaped. Knows the forms in which a secret comes back; refuses to know
//! requests.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use ga4_exporter_core::shown::HIDDEN;

/// Removes these secrets from a text: as they are, and as encoded in forms, URLs, JSON, HTML and base64.
pub fn hidden(text: &str, secrets: &[&SecretString]) -> String {
    let mut shown = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.expose_secret()).filter(|secret| secret.len() >= LEAST_BYTES) {
        // Longer forms first, since one may contain another.
        let mut forms = forms(secret);
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        for form in forms {
            if shown.contains(&form) {
                shown = shown.replace(&form, HIDDEN);
            }
        }
    }
    shown
}

fn forms(secret: &str) -> Vec<String> {
    let in_form = percent(secret);
    let in_url = in_form.replace('+', "%20");
    let json = serde_json::to_string(secret).unwrap_or_default().trim_matches('"').to_owned();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut forms = vec![
        secret.to_owned(),
        percent(&in_url),
        lower_case(&in_form),
        lower_case(&in_url),
        in_form,
        in_url,
        json.replace('/', "\\/"),
        json,
        html.replace('\'', "&#39;"),
        html,
    ];
    forms.extend((0..3).flat_map(|offset| base64(secret, offset)));
    forms
}

/// Encoded as `application/x-www-form-urlencoded`.
fn percent(text: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escaped).collect()
}

/// The same with lower-case digits in its escapes.
fn lower_case(escaped: &str) -> String {
    let mut parts = escaped.split('%');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&digits.to_lowercase());
        text.push_str(rest);
    }
    text
}

/// The part of its base64 that does not depend on the text around it, if this many bytes precede it; in both alphabets.
fn base64(secret: &str, offset: usize) -> Vec<String> {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret.as_bytes());
    bytes.truncate(bytes.len() / 3 * 3);
    let encoded = BASE64_STANDARD_NO_PAD.encode(&bytes);
    let own = if offset == 0 { 0 } else { 4 };
    match encoded.get(own..).filter(|form| form.len() >= LEAST_BYTES) {
        Some(form) => vec![form.to_owned(), form.replace('+', "-").replace('/', "_")],
        None => Vec::new(),
    }
}

/// Shorter texts are not secrets, and would hide ordinary words.
const LEAST_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form_in_which_it_may_come_back() {
        let secret = "1//0g&Kö \"long\"+x~Z<>?'/end of it";
        let sealed = SecretString::from(secret);
        let json = serde_json::to_string(secret).unwrap();
        let form = percent(secret);
        for echo in [
            secret.to_owned(),
            json.replace('/', "\\/"),
            json,
            form.clone(),
            lower_case(&form),
            form.replace('+', "%20"),
            percent(&form.replace('+', "%20")),
            secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        ] {
            let shown = hidden(&format!("you sent refresh_token={echo}&x=1"), &[&sealed]);
            assert!(shown.contains(HIDDEN) && shown.ends_with("&x=1") && !shown.contains("long"), "{echo}: {shown}");
        }
        for before in ["", "a", "ab", "abc"] {
            let text = format!("{before}{secret}&x=1");
            for echo in [BASE64_STANDARD.encode(&text), BASE64_URL_SAFE_NO_PAD.encode(&text)] {
                let shown = hidden(&echo, &[&sealed]);
                assert!(shown.contains(HIDDEN) && shown.len() < 40, "{before}: {shown}");
            }
        }
        assert_eq!(hidden("nothing of it, {} or \"a\"", &[&sealed, &"a".into()]), "nothing of it, {} or \"a\"");
    }
}
