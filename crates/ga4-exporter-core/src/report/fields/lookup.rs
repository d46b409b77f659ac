//! A name that somebody wrote → a field of Google's.
//!
//! Knows our names and Google's, what was renamed, and what a property can have of its own. Refuses to know which of its own a
//! property has: only Google knows.

use thiserror::Error as ThisError;

use super::{
    super::metric::{Addition, Unit},
    REALTIME, TRAFFIC, meant, name,
    standard::{Class, FieldKind, Former, Standard},
};
use crate::names::{ApiName, Category, NameError};

/// A field that a report may ask for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Known {
    /// Google's name for it.
    pub api_name: ApiName,
    /// What is known of it, or of all custom fields of its kind.
    pub standard: &'static Standard,
}

/// Why a name is no field that a report may ask for.
#[derive(Clone, Debug, Eq, PartialEq, ThisError)]
pub enum FieldError {
    /// No field has this name.
    #[error("there is no {} `{name}`; {}", word(*.kind), advice(*.kind, .meant.as_deref()))]
    Unknown {
        /// What was looked for.
        kind: FieldKind,
        /// The name.
        name: String,
        /// What may have been meant, as advice.
        meant: Option<String>,
    },
    /// It is a metric where a dimension is due, or the other way round.
    #[error("`{name}` is a {}, not a {}; move it there", word(other(*.kind)), word(*.kind))]
    Other {
        /// What was looked for.
        kind: FieldKind,
        /// The name.
        name: String,
    },
    /// Google has renamed it.
    #[error("`{former}` was renamed; use `{present}`")]
    Renamed {
        /// The old name.
        former: String,
        /// The new one.
        present: String,
    },
    /// Google has given it up.
    #[error("Google no longer has `{0}`; use another {word}", word = word(*.1))]
    Gone(String, FieldKind),
    /// Realtime reports have few fields.
    #[error("realtime reports do not have `{0}`; use some of {offered}", offered = offered(*.1))]
    NotRealtime(String, FieldKind),
    /// Minutes, which days do not have.
    #[error("only realtime reports have `{0}`; add `realtime: true`, or use `minute`")]
    OnlyRealtime(String),
    /// Cohorts and comparisons are parts of requests that reports here do not have.
    #[error("`{0}` belongs to cohorts and comparisons, which reports here do not have; use another field")]
    OutOfReach(String),
    /// `customEvent` without the rest, or a rest behind what has none.
    #[error("`{0}` is not complete; write `{1}:` and the name that your property has given to it")]
    Incomplete(String, &'static str),
    /// Behind a colon stands what only the owner of a property knows, and before it what Google does.
    #[error("no custom {} begins with `{prefix}:`; {}", word(*.kind), beginning_advice(*.kind, .meant.as_deref()))]
    Prefix {
        /// What was looked for.
        kind: FieldKind,
        /// What stands before the colon.
        prefix: String,
        /// The name that may have been meant.
        meant: Option<String>,
    },
    /// Google would look for a name with the blank.
    #[error("`{0}` has a blank beside the colon; write `{1}`")]
    Blank(String, String),
    /// Reports here ask for metrics as they are.
    #[error("`{0}` is an expression, which reports here do not have; ask for its metrics, and calculate in PromQL")]
    Expression(String),
    /// Not what a field can be called.
    #[error("`{0}` cannot be the name of a field; write it as Google does, such as `screenPageViews`")]
    Malformed(String),
}

/// The field of this name, ours or Google's, for reports of a category.
///
/// # Errors
/// There is no such field, or the category's reports do not have it.
pub fn find(kind: FieldKind, text: &str, category: Category) -> Result<Known, FieldError> {
    let api_name = match text.split_once(':') {
        Some((prefix, own)) => return custom(kind, text, prefix, own, category),
        None => google_name(kind, text),
    };
    let found = standard(kind, api_name);
    let Some(standard) = found else { return Err(unknown(kind, text)) };
    if standard.is_out_of_reach() {
        return Err(FieldError::OutOfReach(text.to_owned()));
    }
    check_category(standard, text, category)?;
    Ok(Known { api_name: parsed(api_name)?, standard })
}

impl Known {
    /// The label that it becomes, where it is a dimension.
    pub fn label(&self) -> String {
        name::label(self.api_name.as_str())
    }

    /// The end of its family's name, where it is a metric in this unit.
    pub fn metric_name(&self, unit: Unit) -> String {
        name::metric(self.api_name.as_str(), unit)
    }

    /// What it counts, as the beginning of a sentence.
    pub fn meaning(&self) -> String {
        let api_name = self.api_name.as_str();
        if let Some(field) = REALTIME.iter().chain(TRAFFIC).find(|field| field.api_name == api_name) {
            return field.meaning.to_owned();
        }
        let (prefix, own) = api_name.split_once(':').unwrap_or((api_name, ""));
        match prefix {
            _ if !self.standard.is_custom => self.standard.ui_name.to_owned(),
            "customEvent" => format!("Sum of the custom metric {own}"),
            "averageCustomEvent" => format!("Average of the custom metric {own}"),
            "countCustomEvent" => format!("Events with the custom metric {own}"),
            "keyEvents" => format!("Key events {own}"),
            "sessionKeyEventRate" => format!("Part of the sessions with the key event {own}"),
            "userKeyEventRate" => format!("Part of the users with the key event {own}"),
            "calcMetric" => format!("Calculated metric {own}"),
            _ => api_name.to_owned(),
        }
    }

    /// Whether Google can hardly know what stands behind the colon: names of parameters and numbers of channel groups have rules.
    pub fn doubt(&self) -> Option<String> {
        let (prefix, own) = self.api_name.as_str().split_once(':')?;
        let name = &self.api_name;
        if matches!(prefix, "customChannelGroup" | "sessionCustomChannelGroup" | "firstUserCustomChannelGroup") {
            let is_number = own.bytes().all(|byte| byte.is_ascii_digit());
            let message = format!(
                "`{name}` does not look like a channel group, which Google numbers; look up the number under Admin > Channel \
                 groups"
            );
            return (!is_number).then_some(message);
        }
        let is_parameter =
            matches!(prefix, "customEvent" | "customUser" | "customItem" | "averageCustomEvent" | "countCustomEvent");
        // Those that were registered before October 2020 have `[event]` behind them.
        let parameter = own.strip_suffix("[event]").unwrap_or(own);
        let is_possible = parameter.starts_with(char::is_alphabetic)
            && parameter.chars().all(|c| c.is_alphanumeric() || c == '_')
            && parameter.chars().count() <= MAX_PARAMETER_LENGTH;
        (is_parameter && !is_possible).then(|| {
            format!(
                "`{name}` does not look like a parameter, whose name has at most {MAX_PARAMETER_LENGTH} letters, digits and \
                 underscores; look it up under Admin > Custom definitions"
            )
        })
    }

    /// Over what its values may be summed, in a report that is split by these.
    pub fn addition<'a>(&self, dimensions: impl Iterator<Item = &'a Self>) -> Addition {
        let counts_sessions = matches!(self.api_name.as_str(), "sessions" | "engagedSessions");
        let (mut overlaps, mut is_of_a_session) = (false, true);
        for dimension in dimensions {
            overlaps |= OVERLAPPING.contains(&dimension.api_name.as_str());
            is_of_a_session &= dimension.is_of_a_session();
        }
        match self.standard.addition {
            Addition::Distinct if counts_sessions && is_of_a_session => Addition::Sum,
            Addition::Sum if overlaps => Addition::Overlapping,
            Addition::Sum | Addition::Distinct | Addition::Overlapping | Addition::Ratio | Addition::Average => {
                self.standard.addition
            }
        }
    }

    /// Whether a session has one value of it, so that sessions add up over its values.
    fn is_of_a_session(&self) -> bool {
        matches!(self.standard.class, Class::Session | Class::SessionSource | Class::Campaign)
            || OF_A_SESSION.contains(&self.api_name.as_str())
    }
}

fn custom(kind: FieldKind, text: &str, prefix: &str, own: &str, category: Category) -> Result<Known, FieldError> {
    let Some(standard) =
        Standard::all().find(|field| field.is_custom && (field.kind, field.api_name) == (kind, prefix))
    else {
        let former = Former::all().find(|former| (former.kind, former.api_name) == (kind, prefix));
        let is_custom = |name: &&str| Standard::all().any(|field| field.is_custom && field.api_name == *name);
        if let Some(present) = former.and_then(|former| former.present).filter(is_custom) {
            return Err(FieldError::Renamed { former: text.to_owned(), present: format!("{present}:{own}") });
        }
        if Standard::all().any(|field| field.is_custom && (field.kind, field.api_name) == (other(kind), prefix)) {
            return Err(FieldError::Other { kind, name: text.to_owned() });
        }
        let meant = meant::beginning(kind, prefix).map(|beginning| format!("{beginning}:{}", own.trim()));
        // `ga:pageviews` is how Universal Analytics had it.
        let is_field = || !own.contains(':') && find(kind, own, category).is_ok();
        let meant = meant.or_else(|| is_field().then(|| own.to_owned()));
        return Err(FieldError::Prefix { kind, prefix: prefix.to_owned(), meant });
    };
    if own.trim().is_empty() {
        return Err(FieldError::Incomplete(text.to_owned(), standard.api_name));
    }
    if own.trim() != own {
        return Err(FieldError::Blank(text.to_owned(), format!("{prefix}:{}", own.trim())));
    }
    check_category(standard, text, category)?;
    Ok(Known { api_name: parsed(text)?, standard })
}

fn check_category(standard: &Standard, text: &str, category: Category) -> Result<(), FieldError> {
    match category {
        _ if standard.is_in(category) => Ok(()),
        Category::Realtime => Err(FieldError::NotRealtime(text.to_owned(), standard.kind)),
        Category::Core => Err(FieldError::OnlyRealtime(text.to_owned())),
    }
}

fn parsed(api_name: &str) -> Result<ApiName, FieldError> {
    api_name.parse().map_err(|_: NameError| FieldError::Malformed(api_name.to_owned()))
}

/// Google's name where the text is ours.
fn google_name(kind: FieldKind, text: &str) -> &str {
    let ours = |field: &&Standard| {
        !field.is_custom
            && field.kind == kind
            && match kind {
                FieldKind::Dimension => name::label(field.api_name) == text,
                FieldKind::Metric => name::metric(field.api_name, field.unit.unwrap_or(Unit::Plain)) == text,
            }
    };
    Standard::all().find(ours).map_or(text, |field| field.api_name)
}

fn standard(kind: FieldKind, api_name: &str) -> Option<&'static Standard> {
    Standard::all().find(|field| !field.is_custom && (field.kind, field.api_name) == (kind, api_name))
}

/// Why nothing has this name.
fn unknown(kind: FieldKind, text: &str) -> FieldError {
    let name = text.to_owned();
    if let Some(former) = Former::all().find(|former| (former.kind, former.api_name) == (kind, text)) {
        return match former.present {
            Some(present) => FieldError::Renamed { former: name, present: present.to_owned() },
            None => FieldError::Gone(name, kind),
        };
    }
    if standard(other(kind), google_name(other(kind), text)).is_some() {
        return FieldError::Other { kind, name };
    }
    if let Some(custom) = Standard::all().find(|field| field.is_custom && (field.kind, field.api_name) == (kind, text))
    {
        return FieldError::Incomplete(name, custom.api_name);
    }
    if kind == FieldKind::Metric && meant::is_expression(text) {
        return FieldError::Expression(name);
    }
    if text.parse::<ApiName>().is_err() {
        return FieldError::Malformed(name);
    }
    FieldError::Unknown { kind, meant: meant::advice(kind, text), name }
}

pub(super) fn other(kind: FieldKind) -> FieldKind {
    match kind {
        FieldKind::Dimension => FieldKind::Metric,
        FieldKind::Metric => FieldKind::Dimension,
    }
}

pub(super) fn word(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Dimension => "dimension",
        FieldKind::Metric => "metric",
    }
}

fn advice(kind: FieldKind, meant: Option<&str>) -> String {
    match meant {
        Some(meant) => meant.to_owned(),
        None => {
            format!("docs/REPORTS.md lists the {}s; those of your own need a prefix: {}", word(kind), beginnings(kind))
        }
    }
}

fn beginning_advice(kind: FieldKind, meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("the beginnings are {}", beginnings(kind)),
    }
}

fn beginnings(kind: FieldKind) -> String {
    let custom = Standard::all().filter(|field| field.is_custom && field.kind == kind);
    custom.map(|field| format!("`{}:`", field.api_name)).collect::<Vec<_>>().join(", ")
}

fn offered(kind: FieldKind) -> String {
    let fields = Standard::all().filter(|field| field.kind == kind && field.is_in(Category::Realtime));
    let name = |field: &Standard| format!("`{}{}`", field.api_name, if field.is_custom { ":…" } else { "" });
    fields.map(name).collect::<Vec<_>>().join(", ")
}

/// The longest name of a parameter (Admin API, `CustomDimension.parameterName`).
const MAX_PARAMETER_LENGTH: usize = 40;

/// Dimensions of which a user can have several values at once, so that the user's events are in several rows.
const OVERLAPPING: &[&str] = &["audienceId", "audienceName", "audienceResourceName", "brandingInterest"];

/// Dimensions of which a session has one value, besides those that begin with `session` and `firstUser`.
const OF_A_SESSION: &[&str] = &["landingPage", "landingPagePlusQueryString", "deviceCategory", "platform"];

#[cfg(test)]
mod tests;
