//! What Google's answers say of this machine's clock, for all who send requests and all who use dates.
//!
//! A thin shell around [`ClockOffset`]: reads the clock, the headers and the connection, and leaves the verdict to that.

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
    /// Nothing is known of this clock.
    pub fn new(clock: Clock) -> Self {
        Self { clock, offset: Arc::default() }
    }

    /// The clock.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// What is known now.
    pub fn offset(&self) -> ClockOffset {
        self.offset.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time by the clock, to be handed in with the answer.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The head of an answer of Google's has come to a request that was sent at this time.
    pub(crate) fn on_answer(&self, response: &Response, sent_at: Timestamp) {
        let Some(date) = date(response.headers()) else { return };
        let host = response.url().host_str().unwrap_or_default();
        // Each connection has an address of its own at this end.
        let connection = match response.extensions().get::<HttpInfo>() {
            Some(info) => format!("{host} from {}", info.local_addr()),
            None => host.to_owned(),
        };
        let answer = DatedAnswer { date, sent_at, received_at: self.clock.now(), connection: Connection(connection) };
        self.offset.lock().unwrap_or_else(PoisonError::into_inner).on_answer(&answer);
    }
}

/// When an answer was made; `None` where it does not say, or comes from a cache.
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
