//! What one command may spend of a property's tokens.
//!
//! Commands are run by hand and by timers beside the daemon and beside others. One command spends at most its share of a bucket,
//! and leaves a reserve in it for everybody else, by what Google says with each answer. What a request costs is known only
//! afterwards, so the next one is assumed to cost what the last one did, or what is expected of it if that is more.

use thiserror::Error as ThisError;

use super::{Share, view};
use crate::{names::Bucket, wire::response::PropertyQuota};

/// The tokens of one command, of one property and category.
#[derive(Clone, Debug)]
pub struct Allowance {
    share: Share,
    spent: f64,
    last_cost: f64,
    last: Option<PropertyQuota>,
    premium: bool,
}

/// Why a command asks no further.
#[derive(Clone, Copy, Debug, PartialEq, ThisError)]
pub enum Overspent {
    /// It would be more than its own share.
    #[error("the next request would cost more than {share} of {}, the most that one command may spend", title(*.bucket))]
    Share {
        /// Of which bucket.
        bucket: Bucket,
        /// How much of it a command may spend.
        share: Share,
    },
    /// It would be more than a full bucket may give, so that waiting does not help.
    #[error(
        "the next request would cost about {cost} tokens, and a command leaves {RESERVE} % of {} to others even when that is full",
        title(*.bucket)
    )]
    TooExpensive {
        /// Of which bucket.
        bucket: Bucket,
        /// Tokens that it would cost.
        cost: f64,
    },
    /// Others need what is left.
    #[error("only {left} tokens are left of {}, and commands leave {RESERVE} % of it to others", title(*.bucket))]
    Reserve {
        /// Of which bucket.
        bucket: Bucket,
        /// Tokens that are left of it.
        left: f64,
    },
}

impl Overspent {
    /// The bucket that is spared.
    pub fn bucket(&self) -> Bucket {
        match self {
            Self::Share { bucket, .. } | Self::TooExpensive { bucket, .. } | Self::Reserve { bucket, .. } => *bucket,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Share { .. } => "ask for fewer days, dimensions or rows, or raise quota.commands_share".to_owned(),
            Self::TooExpensive { .. } => "ask for fewer days, dimensions or rows".to_owned(),
            Self::Reserve { bucket, .. } => format!("try again {}", refill(*bucket)),
        }
    }
}

impl Allowance {
    /// Nothing is spent yet.
    pub fn new(share: Share) -> Self {
        Self { share, spent: 0.0, last_cost: 0.0, last: None, premium: false }
    }

    /// Whether one more request may be sent that costs as much as the last one. The first request always may: what is left is
    /// known from its answer. So the first one should be cheap.
    ///
    /// # Errors
    /// It may not, and why.
    pub fn admit(&self) -> Result<(), Overspent> {
        self.admit_expected(0.0)
    }

    /// The same for a request that is expected to cost at least this many tokens.
    ///
    /// # Errors
    /// It may not be sent, and why.
    pub fn admit_expected(&self, expected: f64) -> Result<(), Overspent> {
        let Some(last) = &self.last else { return Ok(()) };
        let cost = self.last_cost.max(expected);
        for (bucket, _) in view::TOKEN_BUCKETS {
            let (bucket, size) = (*bucket, view::size_of(*bucket, self.premium));
            let Some(left) = view::left_of(bucket, last) else { continue };
            let reserve = size * RESERVE / 100.0;
            if cost > size - reserve {
                return Err(Overspent::TooExpensive { bucket, cost });
            }
            if left - cost < reserve {
                return Err(Overspent::Reserve { bucket, left });
            }
            if self.spent + cost > self.share.of(size) {
                return Err(Overspent::Share { bucket, share: self.share });
            }
        }
        Ok(())
    }

    /// An answer came with this quota.
    pub fn on_answer(&mut self, quota: &PropertyQuota) {
        self.premium |= view::is_premium(quota);
        self.last_cost = f64::from(view::cost(quota));
        self.spent += self.last_cost;
        self.last = Some(quota.clone());
    }

    /// Tokens that were spent.
    pub fn spent(&self) -> f64 {
        self.spent
    }
}

fn title(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Day => "the property's tokens of the day",
        Bucket::Hour => "the property's tokens of the hour",
        Bucket::ProjectHour => "the Cloud project's tokens of the hour for the property",
        Bucket::Thresholded | Bucket::Concurrent | Bucket::ClientErrors | Bucket::ServerErrors | Bucket::Unknown => {
            "a bucket"
        }
    }
}

/// When an empty bucket has tokens again, for the end of a sentence.
pub fn refill(bucket: Bucket) -> &'static str {
    if bucket == Bucket::Day { "after midnight Pacific time" } else { "in an hour" }
}

/// What commands leave of a bucket, in per cent.
const RESERVE: f64 = 10.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::response::QuotaStatus;

    fn quota(cost: i64, day: i64, hour: i64, project_hour: i64) -> PropertyQuota {
        let status = |remaining| Some(QuotaStatus { consumed: cost, remaining });
        PropertyQuota {
            tokens_per_day: status(day),
            tokens_per_hour: status(hour),
            tokens_per_project_per_hour: status(project_hour),
            ..PropertyQuota::default()
        }
    }

    fn after(answers: &[PropertyQuota]) -> Result<(), Overspent> {
        let mut allowance = Allowance::new("10%".parse().unwrap());
        for answer in answers {
            allowance.on_answer(answer);
        }
        allowance.admit()
    }

    #[test]
    fn a_command_spends_its_share_and_no_more() {
        let full = |cost| quota(cost, 199_000, 39_000, 13_500);
        assert_eq!(after(&[]), Ok(()));
        assert_eq!(after(&[full(700)]), Ok(()), "700 more are 1,400: a tenth of the smallest bucket");
        let share = "10%".parse().unwrap();
        assert_eq!(after(&[full(701)]), Err(Overspent::Share { bucket: Bucket::ProjectHour, share }));
        assert_eq!(after(&[full(500), full(500), full(500)]).map_err(|spent| spent.bucket()), Err(Bucket::ProjectHour));
        assert_eq!(after(&[quota(701, 1_900_000, 390_000, 135_000)]), Ok(()), "Analytics 360 has ten times as many");
        let mut allowance = Allowance::new(share);
        allowance.on_answer(&full(1));
        assert_eq!(allowance.admit_expected(1_399.0), Ok(()));
        assert_eq!(
            allowance.admit_expected(1_400.0),
            Err(Overspent::Share { bucket: Bucket::ProjectHour, share }),
            "expected"
        );
    }

    #[test]
    fn a_tenth_of_each_bucket_is_left_to_others() {
        let reserve = |bucket, left| Err(Overspent::Reserve { bucket, left });
        assert_eq!(after(&[quota(10, 20_010, 39_000, 13_000)]), Ok(()));
        assert_eq!(after(&[quota(10, 20_009, 39_000, 13_000)]), reserve(Bucket::Day, 20_009.0));
        assert_eq!(after(&[quota(10, 100_000, 4_009, 13_000)]), reserve(Bucket::Hour, 4_009.0));
        assert_eq!(after(&[quota(10, 100_000, 39_000, -5)]), reserve(Bucket::ProjectHour, 0.0));
        let refused = after(&[quota(10, 20_009, 39_000, 13_000)]).unwrap_err();
        let expected =
            "only 20009 tokens are left of the property's tokens of the day, and commands leave 10 % of it to others";
        assert_eq!(refused.to_string(), expected);
        assert_eq!(refused.remedy(), "try again after midnight Pacific time");
        let mut allowance = Allowance::new("100%".parse().unwrap());
        allowance.on_answer(&quota(1, 199_999, 39_999, 13_999));
        let refused = allowance.admit_expected(12_601.0).unwrap_err();
        assert_eq!(refused, Overspent::TooExpensive { bucket: Bucket::ProjectHour, cost: 12_601.0 });
        assert!(!refused.remedy().contains("try again"), "waiting does not help: {refused}");
        assert_eq!(after(&[PropertyQuota::default()]), Ok(()), "Google has said nothing");
    }
}
