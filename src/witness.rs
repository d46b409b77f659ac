//! Compares this machine's clock with the dates of Google's answers.
//!
//! A thin shell around [`ClockOffset`], which decides: reads the clock, the headers and the connection.

use std::sync::{Arc, Mutex, PoisonError};

use hyper_util::client::legacy::connect::HttpInfo;
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::{
    Response,
    header::{AGE, DATE, HeaderMap},
};

use ga4_exporter_core::clock_offset::{ClockOffset, Connection, DatedAnswer};

use crate::clock::Clock;

/// Compares the clock with Google's; cheap to clone, and all clones agree.
#[derive(Clone, Debug)]
pub struct Witness {
    clock: Clock,
    offset: Arc<Mutex<ClockOffset>>,
}

impl Witness {
    /// Creates a witness without any answer.
    pub fn new(clock: Clock) -> Self {
        Self { clock, offset: Arc::default() }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Returns the current verdict.
    pub fn offset(&self) -> ClockOffset {
        self.offset.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the time of the clock, to be passed with the answer.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds the head of an answer to a request that was sent at this time.
    pub(crate) fn on_answer(&self, response: &Response, sent_at: Timestamp) {
        let Some(date) = date(response.headers()) else { return };
        let answer = DatedAnswer { date, sent_at, received_at: self.clock.now() };
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        offset.on_answer(answer, || connection(response));
    }
}

/// Returns the connection of an answer.
fn connection(response: &Response) -> Connection {
    let host = response.url().host_str().unwrap_or_default();
    // Each connection has its own local address.
    match response.extensions().get::<HttpInfo>() {
        Some(info) => Connection(format!("{host} from {}", info.local_addr())),
        None => Connection(host.to_owned()),
    }
}

/// Returns when an answer was made; `None` if it has no date or comes from a cache.
fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let mut dates = headers.get_all(DATE).iter();
    let date = dates.next()?.to_str().ok()?;
    if dates.next().is_some() || headers.contains_key(AGE) {
        return None;
    }
    DateTimeParser::new().parse_timestamp(date).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_date_that_is_nobodys_memory_counts() {
        let read = |fields: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            date(&headers)
        };
        let now = ("date", "Fri, 27 Nov 2026 20:06:40 GMT");
        assert_eq!(read(&[now]), "2026-11-27T20:06:40Z".parse().ok());
        for fields in
            [&[][..], &[now, now], &[now, ("age", "0")], &[now, ("age", "120")], &[("date", "soon")], &[("date", "")]]
        {
            assert_eq!(read(fields), None, "{fields:?}");
        }
    }
}
