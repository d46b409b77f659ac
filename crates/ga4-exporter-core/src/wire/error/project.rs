//! What can be wrong with the Cloud project that requests count for.

use std::fmt;

/// What is wrong with the Cloud project, and its id or number if Google names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ProjectFault {
    /// A user has signed in with gcloud, whose own project serves no other APIs, and has named no other project.
    NoQuotaProject,
    /// The account may not use the project.
    MayNotUse(Option<String>),
    /// The project does not exist or was deleted.
    Invalid(Option<String>),
    /// Google has suspended the project.
    Suspended(Option<String>),
    /// The project has no billing account, or one that is closed.
    NoBilling(Option<String>),
}

impl fmt::Display for ProjectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoQuotaProject => f.write_str("the sign-in names no quota project"),
            Self::MayNotUse(project) => write!(f, "the account may not use {}", Named(project.as_deref())),
            Self::Invalid(project) => write!(f, "{} does not exist", Named(project.as_deref())),
            Self::Suspended(project) => write!(f, "{} is suspended", Named(project.as_deref())),
            Self::NoBilling(project) => write!(f, "{} has no billing account", Named(project.as_deref())),
        }
    }
}

/// A project in a sentence.
pub(super) struct Named<'a>(pub(super) Option<&'a str>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(project) => write!(f, "the Cloud project {project}"),
            None => f.write_str("the Cloud project"),
        }
    }
}
