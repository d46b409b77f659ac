//! The dimensions and metrics of a report of one's own: lists of names, or mappings of names to names.

use super::{
    super::super::{
        problem::Position,
        schema, value,
        yaml::{Node, Value},
    },
    super::find_field,
    Reading, hint,
};
use ga4_exporter_core::{
    names::{Category, ReportName},
    report::{Counted, Preset, Split, fields::FieldKind},
};

/// Fields that were read, each with its place in the file.
type Placed<T> = Vec<(T, Position)>;

impl<'n> Reading<'_, '_, 'n> {
    /// What it is split by.
    pub(super) fn dimensions(&mut self) -> Placed<Split> {
        let category = self.category;
        // A key with nothing after it counts as left out.
        if self.section.get("dimensions").is_none_or(Node::is_null) {
            let place = self.position;
            let of_preset = self.preset.map(|preset| preset.draft(a_name()).dimensions).unwrap_or_default();
            return of_preset.into_iter().map(|split| (split, place)).collect();
        }
        let read = |it: &mut Self, node: &'n Node, path: &str| {
            it.fields(node, path, FieldKind::Dimension, |it, own, node, path| {
                let parse = |text: &str| {
                    let field = find_field(FieldKind::Dimension, text, category)
                        .map_err(|wrong| exchanged(FieldKind::Dimension, own, text, category).unwrap_or(wrong))?;
                    Split::new(own, field).map_err(|error| error.to_string())
                };
                it.reader.parsed_whole(node, path, "pagePath", parse)
            })
        };
        self.get(read, "dimensions").unwrap_or_default()
    }

    /// What it counts.
    pub(super) fn metrics(&mut self) -> Placed<Counted> {
        if self.section.get("metrics").is_none_or(Node::is_null) {
            let place = self.position;
            if self.preset.is_none() && self.section.get("preset").is_none() {
                let name = self.section.path("metrics");
                let hint = self.hint();
                self.reader.error(place, format!("`{name}` is missing; {hint}"));
                self.is_whole = false;
            }
            let of_preset = self.preset.map(|preset| preset.draft(a_name()).metrics).unwrap_or_default();
            return of_preset.into_iter().map(|counted| (counted, place)).collect();
        }
        let read = |it: &mut Self, node: &'n Node, path: &str| it.fields(node, path, FieldKind::Metric, Self::metric);
        self.get(read, "metrics").unwrap_or_default()
    }

    /// What to do about a report without metrics.
    fn hint(&self) -> String {
        let path = self.section.path("");
        let name = path.trim_start_matches("reports.").trim_end_matches('.');
        match Preset::named(name) {
            Some(preset) => format!("add `preset: {}`, or metrics such as `[pageviews]`", preset.name),
            None => "list what it counts, such as `metrics: [pageviews]`, or name a preset".to_owned(),
        }
    }

    /// A metric by its name, or with a unit.
    fn metric(&mut self, own: Option<&str>, node: &'n Node, path: &str) -> Option<Counted> {
        let (field, unit) = match &node.value {
            Value::Mapping(_) => {
                let section = self.reader.section_at(node, &schema::OWN_METRIC, path);
                let unit = section
                    .get("unit")
                    .map(|node| self.reader.parsed(node, &section.path("unit"), "currency", value::unit));
                let Some(field) = section.get("field") else {
                    let message = format!("`{path}` has no `field`; add it, as in `field: customEvent:price`");
                    self.reader.error(node.position, message);
                    return None;
                };
                match unit {
                    Some(unit) => (field, Some(unit?)),
                    None => (field, None),
                }
            }
            Value::Scalar(..) | Value::Sequence(_) => (node, None),
        };
        let category = self.category;
        let parse = |text: &str| {
            let known = find_field(FieldKind::Metric, text, category)
                .map_err(|wrong| exchanged(FieldKind::Metric, own, text, category).unwrap_or(wrong))?;
            Counted::new(own, known, unit).map_err(|error| error.to_string())
        };
        self.reader.parsed_whole(field, path, "pageviews", parse)
    }

    /// A list of fields, or a mapping of names to fields. `None` if one of them cannot be read.
    fn fields<T>(
        &mut self,
        node: &'n Node,
        path: &str,
        kind: FieldKind,
        read: impl Fn(&mut Self, Option<&str>, &'n Node, &str) -> Option<T>,
    ) -> Option<Placed<T>> {
        let mut fields = Vec::new();
        let mut is_whole = true;
        if let Value::Mapping(_) = node.value {
            // In the order of the file: the first metric is what rows are ordered by.
            let mut entries: Vec<_> = self.reader.mapping(node, path, "").into_iter().collect();
            entries.sort_by_key(|(_, (_, position))| *position);
            for (name, (node, position)) in entries {
                match read(self, Some(&name), node, &format!("{path}.{name}")) {
                    Some(field) => fields.push((field, position)),
                    None => is_whole = false,
                }
            }
        } else {
            let example = if kind == FieldKind::Dimension { "[pagePath]" } else { "[pageviews]" };
            let items = self.reader.list(node, path, example);
            is_whole = node.is_null() || matches!(node.value, Value::Sequence(_));
            for item in items {
                if let Value::Mapping(entries) = &item.value
                    && let Some(message) = hint::of_entry(entries, kind, path)
                {
                    self.reader.error(item.position, message);
                    is_whole = false;
                    continue;
                }
                match read(self, None, item, &format!("{path}[]")) {
                    Some(field) => fields.push((field, item.position)),
                    None => is_whole = false,
                }
            }
        }
        self.is_whole &= is_whole;
        Some(fields)
    }
}

/// The message for a field that stands where its name belongs.
fn exchanged(kind: FieldKind, own: Option<&str>, text: &str, category: Category) -> Option<String> {
    let field = find_field(kind, own?, category).ok()?.api_name;
    Some(format!("the name stands first, and the field behind it; write `{}: {field}`", text.trim()))
        .filter(|_| is_name(text.trim()))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The fields of a preset do not depend on its name.
fn a_name() -> ReportName {
    "preset".parse().expect("a plain word is a name")
}
