//! What somebody who has asked once can do about an error.
//!
//! The same as for the exporter, but that nothing is tried again by itself.

use super::ApiError;
use crate::names::{Bucket, PropertyId};

impl ApiError {
    /// What to do, as a sentence, where nobody tries again by themselves. See [`ApiError::remedy`].
    pub fn advice(&self, property: Option<PropertyId>, account: Option<&str>) -> String {
        if let Self::ServerError { .. } | Self::Timeout(_) = self {
            return "try again in some minutes".to_owned();
        }
        if let Self::RateLimited(_) = self {
            return "try again in some minutes; other users of this Cloud project may be at work".to_owned();
        }
        if let Self::AddressLimited(_) = self {
            return "find out what else sends requests to Google from this machine's address or through its proxy, and try \
                    again in an hour"
                .to_owned();
        }
        if let Self::QuotaExhausted { bucket, .. } = self {
            return quota(*bucket).to_owned();
        }
        if let Self::Protocol(_) = self {
            return "check what stands between here and Google, such as a proxy or a captive portal".to_owned();
        }
        let remedy = self.remedy(property, account);
        match remedy.strip_suffix(super::remedy::AGAIN) {
            Some(text) => text.trim_end_matches("; ").to_owned(),
            None => remedy,
        }
    }
}

fn quota(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Concurrent => "try again at once; other tools ask this property at the same time",
        Bucket::ClientErrors => {
            "find the requests to this property that fail, of the exporter or of other tools of the same Cloud project, and stop \
             them; try again in 15 minutes"
        }
        Bucket::Day => "try again after midnight in California; find out which other tools use this property's quota",
        Bucket::ServerErrors | Bucket::Hour | Bucket::ProjectHour | Bucket::Thresholded | Bucket::Unknown => {
            "try again in an hour; find out which other tools use this property's quota"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_tried_again_by_itself() {
        let message = String::new();
        for error in [
            ApiError::NoAccess(message.clone()),
            ApiError::Denied { cause: message.clone(), message: message.clone() },
            ApiError::ApiDisabled { message: message.clone(), url: "https://x".to_owned() },
            ApiError::ServerError { status: 500, message: message.clone() },
            ApiError::RateLimited(message.clone()),
            ApiError::AddressLimited(message.clone()),
            ApiError::Perimeter { message: message.clone(), identifier: None },
            ApiError::Protocol(message.clone()),
            ApiError::QuotaExhausted { bucket: Bucket::Unknown, message },
        ] {
            let advice = error.advice(None, None);
            assert!(!advice.contains("it is tried again") && !advice.contains("by themselves"), "{advice}");
            assert!(!advice.ends_with([';', ' ']) && !advice.is_empty(), "{advice}");
        }
    }
}
