//! What an operator can do about an error.

use super::{ApiError, ProjectFault, project::Named};
use crate::{
    names::{Bucket, PropertyId},
    wire::{GCLOUD_LOGIN, SCOPE},
};

impl ApiError {
    /// What an operator can do about it, as a sentence. `account` is the e-mail address that signs in, where it is
    /// known.
    pub fn remedy(&self, property: Option<PropertyId>, account: Option<&str>) -> String {
        let account = account.unwrap_or("the account that signs in");
        match self {
            Self::InvalidRequest(_) => "check the property's id and the report's metrics".to_owned(),
            Self::NoAccess(_) => no_access(property, account),
            Self::Denied { .. } => {
                format!("read the reason and the text of Google's answer: they say what {account} lacks; {AGAIN}")
            }
            Self::ApiDisabled { url, .. } => format!("enable the API at {url} and wait a few minutes"),
            Self::InsufficientScope(_) => insufficient_scope(),
            Self::CloudProject { fault, .. } => project(fault, account),
            Self::Perimeter { identifier, .. } => perimeter(identifier.as_deref(), account),
            Self::QuotaExhausted { bucket, .. } => quota(*bucket).to_owned(),
            Self::RateLimited(_) => {
                "nothing to do at once: requests slow down by themselves; other users of this Cloud project may be at work"
                    .to_owned()
            }
            Self::AddressLimited(_) => {
                "find out what else sends requests to Google from this machine's address or through its proxy; meanwhile \
                 all properties are asked more slowly, and values may become stale"
                    .to_owned()
            }
            Self::Unauthenticated(_) => "check that the key is still listed and enabled for the account".to_owned(),
            Self::ServerError { .. } | Self::Timeout(_) => "nothing to do but wait; it is tried again".to_owned(),
            Self::Connection(_) => "check DNS, firewall and HTTPS_PROXY between here and Google".to_owned(),
            Self::Protocol(_) => {
                "check what stands between here and Google; --log.level=debug shows the answer".to_owned()
            }
            Self::TooManyProperties { .. } => {
                "set limits.properties higher in the configuration, or list the properties that you want under `properties` \
                 and turn discovery off"
                    .to_owned()
            }
            Self::Clock { .. } => {
                "set this machine's clock, and let NTP keep it right (`timedatectl set-ntp true`); values by date come back by \
                 themselves"
                    .to_owned()
            }
            Self::NoCredentials { remedy: Some(remedy), .. } => remedy.clone(),
            Self::NoCredentials { remedy: None, .. } => "fix the sign-in first; the log says what is wrong with it".to_owned(),
        }
    }
}

fn no_access(property: Option<PropertyId>, account: &str) -> String {
    let place = property.map_or_else(|| "the property".to_owned(), |id| format!("property {id}"));
    format!(
        "add {account} as Viewer of {place} in Google Analytics under Admin > Property access management, or check the \
         id; {AGAIN}"
    )
}

fn insufficient_scope() -> String {
    format!(
        "sign in with the scope {SCOPE}: a service account's key needs nothing else, a virtual machine must be created with that \
         scope, a user needs an OAuth client of their own: `{GCLOUD_LOGIN}`"
    )
}

fn project(fault: &ProjectFault, account: &str) -> String {
    match fault {
        ProjectFault::NoQuotaProject => format!(
            "run `{SET_QUOTA_PROJECT}` with a project of yours in which the API is enabled, or set \
             GOOGLE_CLOUD_QUOTA_PROJECT to it; {AGAIN}"
        ),
        ProjectFault::MayNotUse(project) => format!(
            "grant {account} the role roles/serviceusage.serviceUsageConsumer on {}, or name another quota project: \
             `{SET_QUOTA_PROJECT}` for a user, otherwise GOOGLE_CLOUD_QUOTA_PROJECT; {AGAIN}",
            Named(project.as_deref())
        ),
        ProjectFault::Invalid(project) => format!(
            "restore {} in the Google Cloud console under IAM & Admin > Manage resources, or sign in with an account or \
             quota project that exists; {AGAIN}",
            Named(project.as_deref())
        ),
        ProjectFault::Suspended(project) => format!(
            "read in the Google Cloud console why {} is suspended, and appeal there, or sign in with an account or quota \
             project of another one; {AGAIN}",
            Named(project.as_deref())
        ),
        ProjectFault::NoBilling(project) => {
            let query = project.as_deref().map(|project| format!("?project={project}")).unwrap_or_default();
            format!(
                "link {} to a billing account at https://console.cloud.google.com/billing/linkedaccount{query}, or use \
                 another quota project; {AGAIN}",
                Named(project.as_deref())
            )
        }
    }
}

fn perimeter(identifier: Option<&str>, account: &str) -> String {
    let by = identifier.map(|identifier| format!(", and give them the identifier {identifier}")).unwrap_or_default();
    format!(
        "ask the administrators of the Google Cloud organization to let {account} reach Google Analytics from here: VPC \
         Service Controls or another policy forbids it{by}; access to the property changes nothing; {AGAIN}"
    )
}

fn quota(bucket: Bucket) -> &'static str {
    match bucket {
        Bucket::Concurrent => "nothing to do; if it lasts, other tools ask this property at the same time",
        Bucket::ClientErrors => {
            "find the requests to this property that fail, of this exporter or of other tools of the same Cloud project, and \
             stop them; the bucket refills within 15 minutes"
        }
        Bucket::ServerErrors => "nothing to do but wait; Google has failed too often, and lets nobody ask for an hour",
        Bucket::Day | Bucket::Hour | Bucket::ProjectHour | Bucket::Thresholded | Bucket::Unknown => {
            "it refills by itself; if it comes back, poll less often or find out which other tools use this property's quota"
        }
    }
}

const SET_QUOTA_PROJECT: &str = "gcloud auth application-default set-quota-project PROJECT";

pub(super) const AGAIN: &str = "it is tried again every 10 minutes";
