//! Queries one property: page by page, with the dates of its own time zone.

use std::fmt;

use ga4_drop_baseline::calendar::Zone;
use ga4_exporter_core::{
    chain::Chain,
    names::{PropertyId, Reason},
    query::{Page, Pages, Query, QueryAnswer, QueryQuality, QueryRows, Totals},
    quota::{Allowance, Share},
    report::{Unit, fields},
    translate,
    wire::response::{PropertyQuota, ReportResponse},
};
use jiff::{civil::Date, tz::TimeZone};
use serde::Serialize;

use super::{super::google::Target, progress::Progress};
use crate::{clock::Clock, ga};

/// What every property is asked.
pub(super) struct Question {
    pub(super) query: Query,
    pub(super) share: Share,
    pub(super) clock: Clock,
    pub(super) progress: Progress,
}

/// The outcome for one property.
pub(super) enum Outcome {
    Answered(Box<Answered>),
    Failed(Failure),
}

/// The complete answer of one property.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) property_id: PropertyId,
    pub(super) property_name: String,
    pub(super) time_zone: String,
    pub(super) currency: String,
    pub(super) dates: Option<(Date, Date)>,
    pub(super) units: Vec<Unit>,
    pub(super) rows: QueryRows,
    pub(super) row_count: u64,
    pub(super) totals: Option<Totals>,
    pub(super) quality: QueryQuality,
    /// Notes about the answer that are not about its quality.
    further: Vec<String>,
}

/// Why a property has no answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Failure {
    pub(super) property_id: String,
    pub(super) reason: &'static str,
    pub(super) message: String,
    pub(super) remedy: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "property {}: {}", self.property_id, self.message.trim_end_matches('.'))?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

impl Answered {
    /// Returns the notes about the answer.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        self.quality.notes().into_iter().chain(self.further.iter().cloned())
    }
}

/// Queries a property.
pub(super) async fn ask(client: &ga::Client, question: &Question, target: Target) -> Outcome {
    let allowance = Allowance::new(question.share);
    let mut asking = Asking { client, question, property: target.id, allowance, zone: None, further: Vec::new() };
    let (mut name, mut currency) = (target.name, String::new());
    match client.property(target.id).await {
        Ok(details) => {
            asking.zone = Zone::named(&details.time_zone).ok();
            name = if details.name.is_empty() { name } else { details.name };
            currency = details.currency;
        }
        // The answer of the Data API names the time zone too, and may arrive even if the Admin API is disabled.
        Err(error) => asking.further.push(format!("its name and time zone cannot be read: {}", Chain(&error))),
    }
    let mut answer = asking.whole_answer().await;
    if let Err(Problem::OtherDay) = answer {
        // Retried once, now that the time zone and the day are known.
        answer = asking.whole_answer().await;
    }
    let (parts, further, zone) = match answer {
        Ok(parts) => {
            asking.note_future(parts.dates);
            (parts, asking.further, asking.zone)
        }
        Err(problem) => return Outcome::Failed(asking.failure(problem).await),
    };
    let Parts { rows, pages, units, quality, currency: of_answer, dates, .. } = parts;
    Outcome::Answered(Box::new(Answered {
        property_id: target.id,
        property_name: name,
        time_zone: zone.map(|zone| zone.name().to_owned()).unwrap_or_default(),
        currency: if of_answer.is_empty() { currency } else { of_answer },
        dates,
        units,
        totals: question.query.totals(&rows, &quality),
        // Without dimensions, a missing row is replaced by a row of zeros, which is counted too.
        row_count: pages.existing().max(rows.len() as u64),
        rows,
        quality,
        further,
    }))
}

struct Asking<'a> {
    client: &'a ga::Client,
    question: &'a Question,
    property: PropertyId,
    allowance: Allowance,
    /// The time zone of the property, if known.
    zone: Option<Zone>,
    further: Vec<String>,
}

/// The pages received so far.
struct Parts {
    rows: QueryRows,
    pages: Pages,
    units: Vec<Unit>,
    quality: QueryQuality,
    currency: String,
    dates: Option<(Date, Date)>,
}

/// Why there is no answer.
enum Problem {
    Google(ga::ApiError),
    /// Refused by ourselves: the reason, the message and the remedy.
    Own(Reason, String, String),
    /// The answer covers another day than the query means.
    OtherDay,
}

impl Asking<'_> {
    /// Requests all pages. Once the time zone is known, all pages use fixed dates, which do not change at midnight.
    async fn whole_answer(&mut self) -> Result<Parts, Problem> {
        let question = self.question;
        let query = &question.query;
        let mut pages = query.pages();
        let mut parts: Option<Parts> = None;
        let mut today = self.today();
        if let Some(today) = today {
            query
                .dates(today)
                .map_err(|error| Problem::Own(Reason::InvalidRequest, error.to_string(), String::new()))?;
        }
        let expected =
            query.expected_tokens(today.unwrap_or_else(|| question.clock.now().to_zoned(TimeZone::UTC).date()));
        if expected > CHEAP_TOKENS && self.allowance.spent() == 0.0 {
            self.probe(today).await?;
        }
        while let Some(page) = pages.next_page() {
            let expected = if pages.received() == 0 { expected } else { 0.0 };
            if let Err(overspent) = self.allowance.admit_expected(expected) {
                let reason =
                    ga::ApiError::QuotaExhausted { bucket: overspent.bucket(), message: String::new() }.reason();
                return Err(Problem::Own(reason, overspent.to_string(), overspent.remedy()));
            }
            let (answer, quota) = self.page(today, page).await?;
            if let Some(quota) = quota {
                self.allowance.on_answer(&quota);
            }
            let before = today;
            today = today.or_else(|| self.learn_zone(&answer.time_zone));
            self.check_day(before, &answer)?;
            let first = pages.received() == 0;
            pages.on_page(answer.received, answer.existing);
            question.progress.on_page(first, answer.received, pages.expected());
            match &mut parts {
                None => parts = Some(Parts::new(answer, pages.clone())),
                Some(parts) => parts.add(answer),
            }
        }
        if pages.lacks_rows() {
            let message = format!("Google sent only {} of {} rows", pages.received(), pages.existing());
            return Err(Problem::Google(ga::ApiError::Protocol(message)));
        }
        let mut parts =
            parts.ok_or_else(|| Problem::Own(Reason::Protocol, "nothing was asked for".to_owned(), String::new()))?;
        parts.quality.truncated = pages.is_cut();
        parts.quality.rows_changed = pages.has_changed();
        parts.pages = pages;
        parts.dates = today.and_then(|today| query.dates(today).ok().flatten());
        Ok(parts)
    }

    /// Learns what is left of the quota from a request that is cheap: the first request of a command is sent without knowing
    /// it, and an expensive one could take what others need.
    async fn probe(&mut self, today: Option<Date>) -> Result<(), Problem> {
        let probe = self.question.query.probe();
        let Some((probe, page)) = probe.and_then(|probe| probe.pages().next_page().map(|page| (probe, page))) else {
            return Ok(());
        };
        let accept = |response: ReportResponse| translate::quota(&response);
        let quota = self.client.report_page(self.property, &probe.request(today, page), accept).await;
        if let Some(quota) = quota.map_err(Problem::Google)? {
            self.allowance.on_answer(&quota);
        }
        Ok(())
    }

    async fn page(&self, today: Option<Date>, page: Page) -> Result<(QueryAnswer, Option<PropertyQuota>), Problem> {
        let query = &self.question.query;
        let accept = |response: ReportResponse| {
            let quota = translate::quota(&response)?;
            Ok::<_, translate::TranslateError>((query.answer(page, response)?, quota))
        };
        self.client.report_page(self.property, &query.request(today, page), accept).await.map_err(Problem::Google)
    }

    fn today(&self) -> Option<Date> {
        self.zone.as_ref().map(|zone| zone.date(self.question.clock.now()))
    }

    /// Sets the time zone to the one that an answer names, and returns the current date there.
    fn learn_zone(&mut self, name: &str) -> Option<Date> {
        self.zone = Zone::named(name).ok();
        self.today()
    }

    /// Checks that the answer covers the intended days: the time zone may have changed, or a day may have ended
    /// in the meantime.
    fn check_day(&mut self, asked: Option<Date>, answer: &QueryAnswer) -> Result<(), Problem> {
        if let Ok(zone) = Zone::named(&answer.time_zone) {
            self.zone = Some(zone);
        }
        let (Some(asked), Some(today)) = (asked, self.today()) else { return Ok(()) };
        let dates = |today| self.question.query.dates(today).ok();
        if dates(asked) == dates(today) { Ok(()) } else { Err(Problem::OtherDay) }
    }

    /// Notes days that have not begun in the property's zone: nothing can be counted in them yet.
    fn note_future(&mut self, dates: Option<(Date, Date)>) {
        let (Some((first, last)), Some(today)) = (dates, self.today()) else { return };
        if last > today {
            let days = if first > today { format!("{first} to {last}") } else { format!("the days after {today}") };
            self.further.push(format!("{days} are in the future in the property's time zone and have no data"));
        }
    }

    async fn failure(&self, problem: Problem) -> Failure {
        let (reason, message, remedy) = match problem {
            Problem::Google(error) => {
                let account = self.client.account();
                let usual = || error.advice(Some(self.property), account.as_deref());
                let remedy = self.advice_on_fields(&error).await.unwrap_or_else(usual);
                (error.reason(), Chain(&error).to_string(), remedy)
            }
            Problem::Own(reason, message, remedy) => (reason, message, remedy),
            Problem::OtherDay => {
                let remedy = "ask again".to_owned();
                (Reason::Protocol, "the property's day ended or its time zone changed meanwhile".to_owned(), remedy)
            }
        };
        Failure { property_id: self.property.to_string(), reason: reason.as_str(), message, remedy }
    }

    /// Says what to do about a refused query: about each of its fields that the property does not have.
    async fn advice_on_fields(&self, error: &ga::ApiError) -> Option<String> {
        if error.reason() != Reason::InvalidRequest {
            return None;
        }
        let schema = self.client.schema(self.property).await.ok()?;
        let absent = fields::absent(self.question.query.report(), &schema);
        let advice: Vec<String> = absent.iter().map(fields::Absent::advice).collect();
        Some(if advice.is_empty() { REFUSED.to_owned() } else { advice.join("; ") })
    }
}

impl Parts {
    fn new(answer: QueryAnswer, pages: Pages) -> Self {
        let QueryAnswer { rows, units, quality, currency, .. } = answer;
        Self { rows, pages, units, quality, currency, dates: None }
    }

    fn add(&mut self, answer: QueryAnswer) {
        self.rows.append(&answer.rows);
        self.quality.add(&answer.quality);
    }
}

/// What a first request may be expected to cost without asking what is left: little more than asking.
const CHEAP_TOKENS: f64 = 5.0;

const REFUSED: &str = "change or leave out the fields, filters or days that Google names";
