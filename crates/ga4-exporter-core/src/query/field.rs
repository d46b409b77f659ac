//! The fields of a question, by any of their names.

use crate::{
    names::{ApiName, Category},
    report::{
        Dimension, Metric, Unit,
        fields::{FieldError, FieldKind, Known, find},
        filter::On,
    },
};

/// What a filter looks at: a metric that is asked for, or else a dimension or a metric of Google's. The unit of a property's own
/// metrics is known only from the answer: they are compared in that.
///
/// # Errors
/// There is no such field.
pub(super) fn of_filter(text: &str, metrics: &[ApiName], category: Category) -> Result<(On, ApiName), FieldError> {
    let metric = find(FieldKind::Metric, text, category);
    if let Ok(metric) = &metric
        && metrics.contains(&metric.api_name)
    {
        return Ok((on(metric), metric.api_name.clone()));
    }
    match (find(FieldKind::Dimension, text, category), metric) {
        (Ok(dimension), _) => Ok((On::Dimension, dimension.api_name)),
        (Err(_), Ok(metric)) => Ok((on(&metric), metric.api_name)),
        (Err(error), Err(_)) => Err(error),
    }
}

fn on(metric: &Known) -> On {
    On::Metric(metric.standard.unit.unwrap_or(Unit::Plain))
}

/// The dimension, with the name that its column has.
pub(super) fn dimension(known: &Known) -> Result<Dimension, FieldError> {
    let label = known.label();
    // Labels have reserved names, and columns have not.
    let label =
        label.parse().or_else(|_| format!("{label}_dimension").parse()).map_err(|_| FieldError::Malformed(label))?;
    Ok(Dimension { label, api_name: known.api_name.clone() })
}

/// The metric, with the name that its column has. A custom one has the unit that its answer says.
pub(super) fn metric(known: &Known, dimensions: &[Known]) -> Result<Metric, FieldError> {
    let unit = known.standard.unit.unwrap_or(Unit::Plain);
    let name = known.metric_name(unit);
    Ok(Metric {
        name: name.parse().or_else(|_| format!("{name}_value").parse()).map_err(|_| FieldError::Malformed(name))?,
        api_name: known.api_name.clone(),
        unit,
        addition: known.addition(dimensions.iter()),
        is_signed: known.standard.is_signed || known.standard.is_custom,
        meaning: known.meaning(),
    })
}
