//! A report of one's own: an entry of `reports` under any other name.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    super::{
        OwnReport,
        problem::Position,
        reader::{Reader, Section, listed, nearest, quoted},
        schema, value,
        yaml::{Node, Value},
    },
    filter, reports,
};
use ga4_exporter_core::{
    names::{Category, PropertyId, ReportName},
    report::{
        Day, Draft, Filter, Order, Part, Preset, Range, Report, Scope, StaleAfter,
        preset::{CORE_INTERVAL, LIMIT, MAX_SERIES, PRESETS, REALTIME_INTERVAL},
    },
    wire::response::MAX_ROWS,
};

mod fields;
mod hint;

/// What is the same for all reports of one's own.
#[derive(Clone, Copy)]
pub(super) struct Shared<'s> {
    /// How long values hold unless a report says so itself, and where that stands.
    pub(super) stale_after: Option<(StaleAfter, Position)>,
    /// All properties, where no others can be found.
    pub(super) properties: Option<&'s BTreeSet<PropertyId>>,
}

/// A report that is being read.
struct Reading<'r, 'f, 'n> {
    reader: &'r mut Reader<'f>,
    section: Section<'n>,
    /// All properties, where no others can be found.
    properties: Option<&'n BTreeSet<PropertyId>>,
    /// Where its name stands.
    position: Position,
    preset: Option<&'static Preset>,
    category: Category,
    /// Whether all of it could be read.
    is_whole: bool,
}

/// Reads the report of this name, which stands at `position`.
pub(super) fn own_report<'n>(
    reader: &mut Reader<'_>,
    name: ReportName,
    (node, position): (&'n Node, Position),
    shared: Shared<'n>,
) -> Option<OwnReport> {
    if let Some(message) = hint::of_value(&name, node) {
        reader.error(node.position, message);
        return None;
    }
    let section = reader.section_with(node, &schema::OWN_REPORT, &format!("reports.{name}"), hint::FOREIGN_KEYS);
    let Shared { stale_after: shared, properties } = shared;
    let category = Category::Core;
    let mut reading = Reading { reader, section, properties, position, preset: None, category, is_whole: true };
    reading.kind();
    let enabled = reading.get(|it, node, path| it.reader.truth(node, path), "enabled").unwrap_or(true);
    let dimensions = reading.dimensions();
    let metrics = reading.metrics();
    let range = reading.range();
    let names = |category| filter::Names { category, dimensions: &dimensions, metrics: &metrics };
    let filter = reading.get(|it, node, path| filter::filter(it.reader, node, path, names(it.category)), "filter");
    let order = reading.get(Reading::order, "order_by").unwrap_or_default();
    let limit = reading.whole_number("limit", MAX_ROWS).and_then(|limit| u32::try_from(limit).ok());
    let max_series = reading.whole_number("max_series", MOST_SERIES).unwrap_or(MAX_SERIES);
    let interval = reading.interval();
    let own_stale_after = reports::stale_after(reading.reader, &reading.section);
    reading.is_whole &= own_stale_after.is_some() || reading.section.get("stale_after").is_none();
    let stale_after = own_stale_after.or(shared).map_or(STALE_AFTER, |(stale_after, _)| stale_after);
    let scope = reading.get(Reading::scope, "properties").unwrap_or(Scope::All);
    let default_limit =
        reading.preset.map_or_else(|| (!dimensions.is_empty()).then_some(LIMIT), |preset| Some(preset.limit));
    let (filter, filtered) =
        filter.map_or_else(|| (Filter::default(), Vec::new()), |found| (found.filter, found.fields));
    let places = Places {
        dimensions: dimensions.iter().map(|(_, place)| *place).collect(),
        metrics: metrics.iter().map(|(_, place)| *place).collect(),
    };
    let draft = Draft {
        name,
        category: reading.category,
        scope,
        interval,
        stale_after,
        dimensions: dimensions.into_iter().map(|(split, _)| split).collect(),
        metrics: metrics.into_iter().map(|(counted, _)| counted).collect(),
        range,
        filter,
        filtered,
        order,
        limit: limit.or(default_limit),
        max_series,
    };
    reading.check(&draft, &places, enabled);
    reading.check_rows(&draft, enabled);
    if enabled {
        let stale_at = own_stale_after.or(shared).map(|(_, at)| at);
        let interval_at = reading.section.get("interval").map(|node| node.position);
        reports::doubts(
            reading.reader,
            &format!("reports.{}", draft.name),
            (interval, stale_after),
            (interval_at, stale_at),
        );
    }
    let report = Report::new(draft.definition()).ok().filter(|_| reading.is_whole)?;
    Some(OwnReport { enabled, report: Arc::new(report) })
}

/// Where the fields of a report stand.
struct Places {
    dimensions: Vec<Position>,
    metrics: Vec<Position>,
}

impl<'n> Reading<'_, '_, 'n> {
    /// What a key has, if it has it and can be read.
    fn get<T>(&mut self, read: impl FnOnce(&mut Self, &'n Node, &str) -> Option<T>, key: &'static str) -> Option<T> {
        let node = self.section.get(key)?;
        let path = self.section.path(key);
        let found = read(self, node, &path);
        self.is_whole &= found.is_some();
        found
    }

    /// What it begins with: a preset, and whether it is on minutes.
    fn kind(&mut self) {
        let preset = |it: &mut Self, node: &Node, path: &str| it.reader.parsed(node, path, "pages", preset);
        self.preset = self.get(preset, "preset");
        let realtime = self.get(|it, node, path| it.reader.truth(node, path), "realtime");
        let of_preset = self.preset.map(|preset| preset.category == Category::Realtime);
        if let (Some(given), Some(of_preset)) = (realtime, of_preset)
            && given != of_preset
        {
            let path = self.section.path("realtime");
            let message = format!("`{path}` contradicts the preset; remove it, or choose another preset");
            self.error_at("realtime", &message);
        }
        if of_preset.or(realtime).unwrap_or(false) {
            self.category = Category::Realtime;
        }
    }

    fn error_at(&mut self, key: &'static str, message: &str) {
        let position = self.section.get(key).map_or(self.position, |node| node.position);
        self.reader.error(position, message);
        self.is_whole = false;
    }

    fn range(&mut self) -> Range {
        let default = match self.category {
            Category::Core => Range::Days(Day::Ago(0), Day::Ago(0)),
            Category::Realtime => Range::LAST_MINUTES,
        };
        if self.category == Category::Realtime && self.section.get("date_range").is_some() {
            let path = self.section.path("date_range");
            self.error_at(
                "date_range",
                &format!("`{path}` is not for realtime reports, which have 30 minutes; remove it"),
            );
            return default;
        }
        self.get(Self::date_range, "date_range").unwrap_or(default)
    }

    fn date_range(&mut self, node: &'n Node, path: &str) -> Option<Range> {
        match node.value {
            Value::Mapping(_) => {}
            Value::Sequence(_) => {
                let message = format!("`{path}` is a list, and a report has one range; write a report for each");
                self.reader.error(node.position, message);
                return None;
            }
            Value::Scalar(..) => return self.reader.parsed(node, path, "today", named_range),
        }
        let section = self.reader.section_with(node, &schema::DATE_RANGE, path, hint::FOREIGN_DATES);
        let parse = |text: &str| text.parse::<Day>().map_err(|error| error.to_string());
        let mut day = |key| section.get(key).map(|node| self.reader.parsed(node, &section.path(key), "today", parse));
        let (first, last) = (day("from"), day("to"));
        let Some(first) = first else {
            // What it is called instead has been said.
            if !hint::names_first_day(node) {
                let message = format!("`{path}` has no `from`; add the first day, such as `from: 3daysAgo`");
                self.reader.error(node.position, message);
            }
            return None;
        };
        let (first, last) = (first?, last.unwrap_or(Some(Day::Ago(0)))?);
        let range = Range::between(first, last);
        range.map_err(|error| self.reader.error(node.position, format!("`{path}`: {error}"))).ok()
    }

    /// A name with a sign, or a list of such.
    fn order(&mut self, node: &'n Node, path: &str) -> Option<Vec<Order>> {
        let parse = |text: &str| {
            let (by, is_descending) = text.strip_prefix('-').map_or((text, false), |by| (by.trim_start(), true));
            if by.is_empty() {
                return Err("a name is missing; write a label or a metric's name, such as `-pageviews`".to_owned());
            }
            Ok(Order { by: by.trim_start_matches('+').to_owned(), is_descending })
        };
        let Value::Sequence(items) = &node.value else {
            return self.reader.parsed(node, path, "-pageviews", parse).map(|order| vec![order]);
        };
        let path = format!("{path}[]");
        let orders: Vec<_> = items.iter().map(|item| self.reader.parsed(item, &path, "-pageviews", parse)).collect();
        orders.into_iter().collect()
    }

    fn whole_number(&mut self, key: &'static str, most: usize) -> Option<usize> {
        let number = super::limit(self.reader, &self.section, key, &(1..=most));
        self.is_whole &= number.is_some() || self.section.get(key).is_none();
        number
    }

    fn interval(&mut self) -> Duration {
        let default = match (self.preset, self.category) {
            (Some(preset), _) => preset.interval,
            (None, Category::Core) => CORE_INTERVAL,
            (None, Category::Realtime) => REALTIME_INTERVAL,
        };
        let parse = |text: &str| value::duration(text, &value::INTERVAL);
        let read = |it: &mut Self, node: &'n Node, path: &str| it.reader.parsed(node, path, "15m", parse);
        self.get(read, "interval").unwrap_or(default)
    }

    fn scope(&mut self, node: &'n Node, path: &str) -> Option<Scope> {
        let items = self.reader.list(node, path, "[123456789]");
        let each = format!("{path}[]");
        let parse = |text: &str| text.parse::<PropertyId>().map_err(|error| error.to_string());
        let (mut properties, mut in_order) = (BTreeSet::new(), Vec::new());
        let mut is_whole = matches!(node.value, Value::Sequence(_));
        for item in items {
            match self.reader.parsed(item, &each, "123456789", parse) {
                Some(id) if !properties.insert(id) => {
                    self.reader.error(item.position, format!("property {id} is listed twice; remove one"));
                    is_whole = false;
                }
                Some(id) => in_order.push(id),
                None => is_whole = false,
            }
        }
        if properties.is_empty() && is_whole {
            let message = format!("`{path}` is empty, so nothing would be asked for; list properties, or remove it");
            self.reader.error(node.position, message);
            is_whole = false;
        }
        if let Some(all) = self.properties.filter(|all| !all.is_empty() && is_whole) {
            for (item, id) in items.iter().zip(&in_order).filter(|(_, id)| !all.contains(id)) {
                let message = format!(
                    "property {id} is not exported, so the report is not polled for it; add it to the properties, or remove it \
                     here"
                );
                self.reader.warn(item.position, message);
            }
        }
        is_whole.then(|| Scope::Only(Arc::new(properties)))
    }

    /// What counts rows or orders them means nothing where there is one row.
    fn check_rows(&mut self, draft: &Draft, enabled: bool) {
        if !enabled || !draft.dimensions.is_empty() || draft.metrics.is_empty() || !self.is_whole {
            return;
        }
        for key in ["order_by", "limit", "max_series"] {
            if let Some(node) = self.section.get(key) {
                let message = format!(
                    "`{}` has no effect without dimensions, since there is one row; remove it, or add `dimensions`",
                    self.section.path(key)
                );
                self.reader.warn(node.position, message);
            }
        }
    }

    /// Says what is wrong or doubtful about the whole of it.
    fn check(&mut self, draft: &Draft, places: &Places, enabled: bool) {
        let was_whole = self.is_whole;
        for finding in draft.findings() {
            // Where something could not be read, what is missing is not missing.
            let follows = matches!(finding.part, Part::Metrics | Part::Order | Part::Report);
            if (follows && !was_whole) || (!finding.is_error && !enabled) {
                continue;
            }
            let position = self.place(finding.part, places);
            let message = format!("`reports.{}`: {}", draft.name, finding.message);
            if finding.is_error {
                self.reader.error(position, message);
                self.is_whole = false;
            } else {
                self.reader.warn(position, message);
            }
        }
    }

    fn place(&self, part: Part, places: &Places) -> Position {
        let key = |key| self.section.get(key).map(|node: &Node| node.position);
        let found = match part {
            Part::Report => None,
            Part::Dimensions => key("dimensions").or_else(|| key("filter")),
            Part::Dimension(index) => places.dimensions.get(index).copied(),
            Part::Metrics => key("metrics"),
            Part::Metric(index) => places.metrics.get(index).copied(),
            Part::Filter => key("filter"),
            Part::Order => key("order_by"),
            Part::Limit => key("limit").or_else(|| key("max_series")),
            Part::MaxSeries => key("max_series"),
        };
        found.unwrap_or(self.position)
    }
}

fn preset(text: &str) -> Result<&'static Preset, String> {
    let names = || PRESETS.iter().map(|preset| preset.name);
    let advice = || match nearest(text, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of {}", listed(names())),
    };
    Preset::named(text).ok_or_else(|| format!("there is no preset {}; {}", quoted(text), advice()))
}

fn named_range(text: &str) -> Result<Range, String> {
    let names = || Range::NAMED.iter().map(|(name, _)| *name);
    let found = Range::NAMED.iter().find(|(name, _)| *name == text).map(|(_, range)| *range);
    found.ok_or_else(|| match names().find(|name| name.eq_ignore_ascii_case(text)) {
        Some(near) => format!("{} is not a range; did you mean `{near}`?", quoted(text)),
        None => format!(
            "{} is not a range; use one of {}, or `{{from: 3daysAgo, to: today}}`",
            quoted(text),
            listed(names())
        ),
    })
}

const STALE_AFTER: StaleAfter = StaleAfter::Intervals(3.0);

/// How many series a report may be allowed.
const MOST_SERIES: usize = 100_000;
