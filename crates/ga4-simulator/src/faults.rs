//! Fault injection: what tests make the simulator do wrong, for which requests and how often.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::SignedDuration;

use super::{errors::Refusal, recordings::Recording, shapes::Shape};

/// What the simulator serves.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// `POST /token`
    Token,
    /// `GET /computeMetadata/…`, the metadata server of a virtual machine.
    MetadataServer,
    /// `POST /v1beta/properties/{id}:runReport`
    RunReport,
    /// `POST /v1beta/properties/{id}:batchRunReports`
    BatchRunReports,
    /// `POST /v1beta/properties/{id}:runRealtimeReport`
    RunRealtimeReport,
    /// `GET /v1beta/properties/{id}/metadata`
    GetMetadata,
    /// `POST /v1beta/properties/{id}:checkCompatibility`
    CheckCompatibility,
    /// `GET /v1beta/accountSummaries`
    AccountSummaries,
    /// `GET /v1beta/properties/{id}`
    GetProperty,
}

impl Method {
    /// All methods.
    pub const ALL: [Self; 9] = [
        Self::Token,
        Self::MetadataServer,
        Self::RunReport,
        Self::BatchRunReports,
        Self::RunRealtimeReport,
        Self::GetMetadata,
        Self::CheckCompatibility,
        Self::AccountSummaries,
        Self::GetProperty,
    ];

    /// Returns the name that `POST /simulator/faults` accepts: `metadata` is the metadata server, `property` is the
    /// Admin API's method.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::MetadataServer => "metadata",
            Self::RunReport => "runReport",
            Self::BatchRunReports => "batchRunReports",
            Self::RunRealtimeReport => "runRealtimeReport",
            Self::GetMetadata => "getMetadata",
            Self::CheckCompatibility => "checkCompatibility",
            Self::AccountSummaries => "accountSummaries",
            Self::GetProperty => "property",
        }
    }

    /// Returns the method with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Returns the full name of the remote procedure, which error details contain.
    pub(super) fn rpc(self) -> &'static str {
        match self {
            Self::RunReport => "google.analytics.data.v1beta.BetaAnalyticsData.RunReport",
            Self::BatchRunReports => "google.analytics.data.v1beta.BetaAnalyticsData.BatchRunReports",
            Self::RunRealtimeReport => "google.analytics.data.v1beta.BetaAnalyticsData.RunRealtimeReport",
            Self::GetMetadata => "google.analytics.data.v1beta.BetaAnalyticsData.GetMetadata",
            Self::CheckCompatibility => "google.analytics.data.v1beta.BetaAnalyticsData.CheckCompatibility",
            Self::AccountSummaries => "google.analytics.admin.v1beta.AnalyticsAdminService.ListAccountSummaries",
            Self::GetProperty => "google.analytics.admin.v1beta.AnalyticsAdminService.GetProperty",
            Self::Token | Self::MetadataServer => "",
        }
    }
}

/// A fault. It stays active until it is cleared, unless [`Fault::times`] limits it.
#[derive(Clone, Debug)]
pub struct Fault {
    methods: Vec<Method>,
    property: Option<String>,
    page: Option<usize>,
    times: Option<u32>,
    effect: Effect,
}

impl Fault {
    /// Creates a fault of every method and property.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self { methods: Vec::new(), property: None, page: None, times: None, effect }
    }

    /// Creates a fault that plays a recorded answer of Google by its name, for example `429-client-errors`, on its
    /// own method unless [`Fault::on`] sets another. Returns `None` for unknown names; [`Recording::all`] lists them.
    #[must_use]
    pub fn play(name: &str) -> Option<Self> {
        Recording::named(name).map(Self::from)
    }

    /// Limits the fault to this method; further calls add methods.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Limits the fault to this property, by its id.
    #[must_use]
    pub fn property(mut self, id: impl Into<String>) -> Self {
        self.property = Some(id.into());
        self
    }

    /// Limits the fault to this page of a listing, counted from 0.
    #[must_use]
    pub fn page(mut self, page: usize) -> Self {
        self.page = Some(page);
        self
    }

    /// Limits the number of requests that the fault affects.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Limits the fault to one request.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }
}

impl From<Recording> for Fault {
    fn from(recording: Recording) -> Self {
        Self::new(Effect::Play(recording))
    }
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Delays the answer; other faults of the same request apply too.
    Latency(Duration),
    /// Never answers; the connection stays open.
    Hang,
    /// Sends the head and half of the body, then nothing more.
    HangMidBody,
    /// Answers with an error of an API; for sign-in, use [`Effect::RefuseToken`].
    Refuse(Refusal),
    /// Answers with an error of the token endpoint: status, `error` and `error_description`.
    RefuseToken(u16, String, String),
    /// Answers with this status and body.
    Raw(u16, String),
    /// Answers with status 200 and an HTML page.
    Html,
    /// Sends the first half of the body as a complete answer.
    Truncated,
    /// Sends another `kind`.
    WrongKind,
    /// Omits `kind`.
    NoKind,
    /// Omits `metricHeaders`.
    NoMetricHeaders,
    /// Omits `metadata.timeZone`.
    NoTimeZone,
    /// Sets `metadata.timeZone` to this text.
    TimeZone(String),
    /// Adds rows of zeros for this many hours before the first hour of a report by `dateHour` alone.
    ZeroHours(i64),
    /// Sets `Date` ahead of the simulator's clock; a negative duration sets it back.
    DateAhead(SignedDuration),
    /// Answers as from a cache: `Date` is this many seconds old, and `Age` says so.
    FromCache(u32),
    /// Adds fields that are not documented.
    UnknownFields,
    /// Sets every metric value to this text, for example `-1` or `NaN`.
    MetricValues(String),
    /// Sends an endless answer at full speed.
    Endless,
    /// Resets the connection instead of answering.
    Reset,
    /// Resets the connection in the middle of the answer.
    ResetMidBody,
    /// Sets `expires_in` in the answer of the token endpoint; the token itself keeps its lifetime.
    ExpiresIn(i64),
    /// Plays a recorded answer of Google; see [`Fault::play`].
    Play(Recording),
}

/// Identifies an injected fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FaultId(u64);

/// The active faults.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    injected: u64,
    faults: Vec<(FaultId, Fault)>,
}

/// The faults of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Fate {
    pub(super) latency: Duration,
    pub(super) effect: Option<Effect>,
}

impl Faults {
    pub(super) fn inject(&self, fault: Fault) -> FaultId {
        let mut waiting = self.waiting();
        let id = FaultId(waiting.injected);
        waiting.injected += 1;
        waiting.faults.push((id, fault));
        id
    }

    pub(super) fn clear(&self, id: FaultId) {
        self.waiting().faults.retain(|(other, _)| *other != id);
    }

    pub(super) fn clear_all(&self) {
        self.waiting().faults.clear();
    }

    /// Returns the faults of a request: all matching latencies, and the first other effect.
    pub(super) fn apply(&self, method: Method, property: Option<&str>, page: Option<usize>) -> Fate {
        let mut fate = Fate::default();
        let mut waiting = self.waiting();
        for (_, fault) in &mut waiting.faults {
            if !fault.fits(method, property, page) {
                continue;
            }
            if let Effect::Latency(latency) = &fault.effect {
                fate.latency += *latency;
            } else if fate.effect.is_none() {
                fate.effect = Some(fault.effect.clone());
            } else {
                continue;
            }
            if let Some(times) = &mut fault.times {
                *times -= 1;
            }
        }
        waiting.faults.retain(|(_, fault)| fault.times != Some(0));
        fate
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fate {
    /// Returns the recorded answer to play, if any.
    pub(super) fn recording(&self) -> Option<Recording> {
        match self.effect {
            Some(Effect::Play(recording)) => Some(recording),
            _ => None,
        }
    }

    /// Returns how a recorded answer changes a good one, if it does.
    pub(super) fn shape(&self) -> Option<Shape> {
        self.recording()?.shape()
    }
}

impl Fault {
    fn fits(&self, method: Method, property: Option<&str>, page: Option<usize>) -> bool {
        self.times != Some(0)
            && self.is_on(method)
            && self.property.as_deref().is_none_or(|wanted| property == Some(wanted))
            && self.page.is_none_or(|wanted| page == Some(wanted))
    }

    fn is_on(&self, method: Method) -> bool {
        if let (Effect::Play(recording), []) = (&self.effect, self.methods.as_slice()) {
            return method == recording.method();
        }
        self.methods.is_empty() || self.methods.contains(&method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_fit_where_they_are_meant_to() {
        let faults = Faults::default();
        let fault = Fault::new(Effect::Hang).on(Method::RunReport).on(Method::Token).property("1");
        let id = faults.inject(fault);
        let applies = |method, property| faults.apply(method, property, None).effect.is_some();
        assert!(applies(Method::RunReport, Some("1")));
        assert!(!applies(Method::RunReport, Some("2")));
        assert!(!applies(Method::RunRealtimeReport, Some("1")));
        assert!(!applies(Method::Token, None));
        faults.clear(id);
        assert!(!applies(Method::RunReport, Some("1")));
        faults.inject(Fault::new(Effect::Hang).page(1));
        assert_eq!(faults.apply(Method::AccountSummaries, None, Some(0)), Fate::default());
        assert!(faults.apply(Method::AccountSummaries, None, Some(1)).effect.is_some());
        faults.clear_all();
        assert!(!applies(Method::Token, None));
    }

    #[test]
    fn counted_faults_end_and_do_not_consume_each_other() {
        let faults = Faults::default();
        faults.inject(Fault::new(Effect::Html).times(2));
        faults.inject(Fault::new(Effect::Hang).once());
        faults.inject(Fault::new(Effect::Latency(Duration::from_millis(5))).once());
        faults.inject(Fault::new(Effect::Latency(Duration::from_millis(7))));
        let next = || faults.apply(Method::Token, None, None);
        let fates = [next(), next(), next(), next()];
        let effects = fates.clone().map(|fate| fate.effect);
        assert_eq!(effects, [Some(Effect::Html), Some(Effect::Html), Some(Effect::Hang), None]);
        assert_eq!(fates.map(|fate| fate.latency.as_millis()), [12, 7, 7, 7]);
        assert_eq!(faults.waiting().faults.len(), 1, "only the endless one waits");
    }
}
