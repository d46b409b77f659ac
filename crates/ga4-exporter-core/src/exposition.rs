//! Renders the text that Prometheus reads: format 0.0.4 or OpenMetrics 1.0.
//!
//! Knows names, labels, HELP texts and the rules of the two formats. Refuses to know locks, tasks and the network.
//! Invariant: the same view at the same time gives the same bytes; expired values are omitted, and
//! [`Rendering::valid_until`] is when the next value expires.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use prometheus::proto::MetricFamily;

use crate::{
    report::{Report, Series},
    store::{PropertyState, ReportState, Snapshot},
};

pub use format::Format;
use page::{Kind, Page};

mod format;
mod own;
mod page;
mod quality;
mod quota;
mod statuses;
mod watch;

/// The input of a rendering.
#[derive(Debug)]
pub struct View {
    /// The current definitions of the reports, which determine the families and their order.
    pub reports: Vec<Arc<Report>>,
    /// The properties by id.
    pub properties: Vec<Arc<PropertyState>>,
    /// The exporter's metrics on itself.
    pub own: Vec<MetricFamily>,
}

/// The text of a view.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rendering {
    /// The whole text.
    pub text: Vec<u8>,
    /// When the first value in it expires; from then on the text is wrong.
    pub valid_until: Option<Timestamp>,
}

/// Renders all values of the view that have not expired at this time.
pub fn render(view: &View, format: Format, now: Timestamp) -> Rendering {
    fill(Page::whole(format, view.properties.len()), view, now)
}

/// Does the same piece by piece, for a text that is not needed whole, such as one that is packed. Returns when the first value
/// in it expires; see [`Rendering::valid_until`].
pub fn render_in_pieces(view: &View, format: Format, now: Timestamp, sink: &mut dyn FnMut(&[u8])) -> Option<Timestamp> {
    fill(Page::in_pieces(format, sink), view, now).valid_until
}

fn fill(mut page: Page<'_>, view: &View, now: Timestamp) -> Rendering {
    let rows: Vec<PropertyRow<'_>> = view.properties.iter().map(|state| PropertyRow::new(state)).collect();
    info(&mut page, &rows);
    statuses::render(&mut page, &rows);
    quality::render(&mut page, &rows, now);
    for report in &view.reports {
        values(&mut page, report, &rows, now);
    }
    watch::render(&mut page, &view.reports, &rows, now);
    quota::render(&mut page, &rows, now);
    own::render(&mut page, &view.own);
    page.finish()
}

/// A property with its rendered identity label.
///
/// Families follow one another, and each visits all properties. With many of them, most of the time of a rendering is spent
/// waiting for memory. So what several families need is gathered once, in the order in which they read it.
struct PropertyRow<'a> {
    state: &'a PropertyState,
    reports: &'a [ReportState],
    /// `property_id="123"`.
    label: String,
}

impl<'a> PropertyRow<'a> {
    fn new(state: &'a PropertyState) -> Self {
        Self { state, reports: &state.reports, label: format!("property_id=\"{}\"", state.id) }
    }
}

fn info(page: &mut Page<'_>, rows: &[PropertyRow<'_>]) {
    let help = "Names and attributes of a property, for joins on property_id; always 1.";
    page.family("google_analytics_property_info", help, Kind::Gauge);
    for row in rows {
        let mut labels = row.label.clone();
        for (label, value) in row.state.info.labels_of(row.state.id) {
            page::push_label(&mut labels, label, &value);
        }
        page.sample(&labels, 1.0);
    }
}

/// The values of one report, family by family.
fn values(page: &mut Page<'_>, report: &Arc<Report>, rows: &[PropertyRow<'_>], now: Timestamp) {
    let mut all: Vec<Values<'_>> = Vec::with_capacity(rows.len());
    for row in rows {
        let state = row.reports.iter().find(|state| state.name == report.name);
        if let Some(snapshot) = state.and_then(|state| state.values(now)) {
            page.expires(snapshot.expires_at);
            all.push(Values::new(row, snapshot));
        }
    }
    let older = Older::definitions(report, &all);
    for (position, family) in report.families.iter().enumerate() {
        page.family(family.name.as_str(), &family.help, Kind::Gauge);
        for values in &all {
            let position = if Arc::ptr_eq(values.report, report) {
                Some(position)
            } else {
                older.position(values.report, position)
            };
            let Some(position) = position else { continue };
            match values.unlabelled {
                None => labelled(page, report, values.property, values.series, position),
                Some(numbers) => {
                    if let Some(number) = numbers.get(position).filter(|number| !number.is_nan()) {
                        page.sample(values.property, *number);
                    }
                }
            }
        }
    }
}

/// What a property has of a report.
struct Values<'a> {
    /// Its rendered label.
    property: &'a str,
    /// The definition that the values belong to.
    report: &'a Arc<Report>,
    series: &'a Series,
    /// The values, in the order of the families, if they have no further labels.
    unlabelled: Option<&'a [f64]>,
}

impl<'a> Values<'a> {
    fn new(row: &'a PropertyRow<'a>, snapshot: &'a Snapshot) -> Self {
        let series = &snapshot.values;
        let unlabelled = (!series.is_labelled()).then(|| series.values());
        Self { property: &row.label, report: &snapshot.report, series, unlabelled }
    }
}

/// The series of one family of a report with dimensions.
fn labelled(page: &mut Page<'_>, report: &Report, property: &str, series: &Series, family: usize) {
    for row in series.rows() {
        let Some(value) = row.value(family) else { continue };
        let names = report.dimensions.iter().map(|dimension| dimension.label.as_str());
        page.labelled_sample(property, names.zip(row.labels()), value);
    }
}

/// For each older definition of a report that values belong to: the positions of the current families in it.
struct Older(HashMap<*const Report, Vec<Option<usize>>>);

impl Older {
    fn definitions(present: &Arc<Report>, all: &[Values<'_>]) -> Self {
        let mut definitions = HashMap::new();
        for values in all.iter().filter(|values| !Arc::ptr_eq(values.report, present)) {
            definitions.entry(Arc::as_ptr(values.report)).or_insert_with(|| {
                let places = 0..present.families.len();
                places.map(|family| present.family_in(values.report, family)).collect()
            });
        }
        Self(definitions)
    }

    fn position(&self, report: &Arc<Report>, of_present: usize) -> Option<usize> {
        self.0.get(&Arc::as_ptr(report))?.get(of_present).copied().flatten()
    }
}

#[cfg(test)]
mod tests;
