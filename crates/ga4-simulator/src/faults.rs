//! Faults on demand: what tests make the simulator do wrong, where and how often.

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
    /// All of them.
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

    /// The name that `POST /simulator/faults` takes: `metadata` is the metadata server, `property` the Admin API's.
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

    /// The method of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The full name of the remote procedure, which details of errors have.
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

/// Something that goes wrong; until it is cleared, unless [`Fault::times`] says how often.
#[derive(Clone, Debug)]
pub struct Fault {
    methods: Vec<Method>,
    property: Option<String>,
    page: Option<usize>,
    times: Option<u32>,
    effect: Effect,
}

impl Fault {
    /// A fault of every method and property.
    #[must_use]
    pub fn new(effect: Effect) -> Self {
        Self { methods: Vec::new(), property: None, page: None, times: None, effect }
    }

    /// A recorded answer of Google's by its name, `429-client-errors` for instance, on the method that it was recorded on
    /// unless [`Fault::on`] says another. `None` when there is no such one; [`Recording::all`] lists them.
    #[must_use]
    pub fn play(name: &str) -> Option<Self> {
        Recording::named(name).map(Self::from)
    }

    /// Of this method only; of several when it is called again.
    #[must_use]
    pub fn on(mut self, method: Method) -> Self {
        self.methods.push(method);
        self
    }

    /// Of this property only, by its id.
    #[must_use]
    pub fn property(mut self, id: impl Into<String>) -> Self {
        self.property = Some(id.into());
        self
    }

    /// Of this page of a listing only, counted from 0.
    #[must_use]
    pub fn page(mut self, page: usize) -> Self {
        self.page = Some(page);
        self
    }

    /// So often, then never again.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Once.
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
    /// The answer comes so much later; other faults of the same request apply too.
    Latency(Duration),
    /// No answer, ever; the connection stays open.
    Hang,
    /// The head and half of the answer, then nothing more.
    HangMidBody,
    /// An error answer of an API; sign-in has [`Effect::RefuseToken`].
    Refuse(Refusal),
    /// An error answer of the token endpoint: status, `error` and `error_description`.
    RefuseToken(u16, String, String),
    /// This status with this body.
    Raw(u16, String),
    /// Status 200 with a page of HTML.
    Html,
    /// The first half of the answer, well delivered.
    Truncated,
    /// `kind` says something else.
    WrongKind,
    /// No `kind`.
    NoKind,
    /// No `metricHeaders`.
    NoMetricHeaders,
    /// No `metadata.timeZone`.
    NoTimeZone,
    /// `metadata.timeZone` is this text.
    TimeZone(String),
    /// Rows of zeros for this many hours before the first of a report by `dateHour` alone.
    ZeroHours(i64),
    /// `Date` is so much later than the simulator's clock; earlier with a negative duration.
    DateAhead(SignedDuration),
    /// As from a cache: `Date` is this many seconds old, and `Age` says so.
    FromCache(u32),
    /// Fields that no documentation knows yet.
    UnknownFields,
    /// Every value of every metric is this text, `-1` or `NaN` for instance.
    MetricValues(String),
    /// An answer that never ends, though it comes fast.
    Endless,
    /// The connection is reset instead of an answer.
    Reset,
    /// The connection is reset in the middle of the answer.
    ResetMidBody,
    /// `expires_in` of the token endpoint's answer; the token itself lives as long as others.
    ExpiresIn(i64),
    /// A recorded answer of Google's; see [`Fault::play`].
    Play(Recording),
}

/// Names a fault that was injected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FaultId(u64);

/// The faults that are waiting.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    injected: u64,
    faults: Vec<(FaultId, Fault)>,
}

/// What happens to one request.
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

    /// Returns what happens to a request: all latencies that fit, and the first other effect.
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
    /// The recorded answer to play, if any.
    pub(super) fn recording(&self) -> Option<Recording> {
        match self.effect {
            Some(Effect::Play(recording)) => Some(recording),
            _ => None,
        }
    }

    /// What a recorded answer makes of a good one.
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
