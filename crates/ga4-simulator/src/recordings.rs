//! Recorded answers of Google that can be played: complete error answers, and changes to good answers.
//!
//! `recordings.json` names each after the recording that it is modelled on. Those without a recording are modelled on
//! Google's documentation and on texts that users quote.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::{
    errors::Api,
    faults::Method,
    headers::{self, Headers},
    outcome::Outcome,
    routes::Route,
    shapes::Shape,
};

/// A recorded answer; see [`super::Fault::play`].
#[derive(Clone, Copy, Debug)]
pub struct Recording(&'static Entry);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    call: String,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    sender: Sender,
    /// The complete answer as JSON, or as plain text.
    body: Option<Value>,
    text: Option<String>,
    /// How to change a good answer instead.
    shape: Option<Shape>,
}

/// The server whose headers an answer has.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sender {
    #[default]
    Api,
    Page,
    Token,
    Metadata,
    MetadataPage,
}

impl Recording {
    /// Returns all recordings.
    pub fn all() -> impl Iterator<Item = Self> {
        ENTRIES.iter().map(Self)
    }

    /// Returns the recording with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|recording| recording.name() == name)
    }

    /// Returns its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// Returns the method that it was recorded on.
    #[must_use]
    pub fn method(self) -> Method {
        Method::named(&self.0.call).unwrap_or(Method::RunReport)
    }

    /// Returns the status of the answer.
    #[must_use]
    pub fn status(self) -> u16 {
        self.0.status
    }

    pub(super) fn shape(self) -> Option<Shape> {
        self.0.shape
    }

    /// Returns the complete answer, or `None` if the recording changes a good one. Names of APIs are replaced by that
    /// of the requested one.
    pub(super) fn outcome(self, route: &Route) -> Option<Outcome> {
        let Entry { status, sender, body, text, .. } = self.0;
        let mut text = match (body, text) {
            (Some(body), _) => format!("{body:#}\n"),
            (None, Some(text)) => text.clone(),
            (None, None) => return None,
        };
        if route.api() == Some(Api::Admin) {
            text = text.replace(Api::Data.service(), Api::Admin.service());
        }
        Some(Outcome::text(*status, sender.headers(), text))
    }
}

impl PartialEq for Recording {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Sender {
    fn headers(self) -> Headers {
        match self {
            Self::Api => headers::API,
            Self::Page => headers::PAGE,
            Self::Token => headers::TOKEN,
            Self::Metadata => headers::METADATA_JSON,
            Self::MetadataPage => headers::METADATA_PAGE,
        }
    }
}

fn ok() -> u16 {
    200
}

static ENTRIES: LazyLock<Vec<Entry>> =
    LazyLock::new(|| serde_json::from_str(TABLE).expect("a test reads the whole table"));

const TABLE: &str = include_str!("recordings.json");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_is_sound() {
        let names: BTreeSet<&str> = Recording::all().map(Recording::name).collect();
        assert_eq!(names.len(), Recording::all().count(), "names are unique");
        for Entry { name, call, status, body, text, shape, .. } in &*ENTRIES {
            assert!(Method::named(call).is_some(), "{name} is on {call}");
            let kinds = [body.is_some(), text.is_some(), shape.is_some()];
            assert_eq!(kinds.into_iter().filter(|is_there| *is_there).count(), 1, "{name} is one of three kinds");
            assert!(shape.is_none() || *status == 200, "{name} changes a good answer");
            let code = body.as_ref().and_then(|body| body["error"]["code"].as_u64());
            assert!(code.is_none_or(|code| code == u64::from(*status)), "{name} contradicts itself");
        }
    }
}
