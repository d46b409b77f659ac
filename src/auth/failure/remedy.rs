//! Remedies for a failed sign-in, by kind of failure and of credentials.

use super::{Kind, Signer};
use crate::auth::{GCLOUD_LOGIN, SCOPE};

/// Returns the remedy as a sentence.
pub(super) fn remedy(kind: Kind, signer: Signer) -> String {
    match kind {
        Kind::Clock => "set this machine's clock (NTP); Google accepts a few minutes of difference".to_owned(),
        Kind::RateLimit => {
            "it is tried again more slowly; find out what else on this machine or address signs in so often".to_owned()
        }
        Kind::Timeout | Kind::Connection if signer == Signer::MetadataServer => NO_METADATA_SERVER.to_owned(),
        Kind::Timeout | Kind::ServerError => "nothing to do but wait; it is tried again".to_owned(),
        Kind::Connection => "check DNS, firewall, HTTPS_PROXY and the system's certificate authorities".to_owned(),
        Kind::InvalidKey
        | Kind::UnknownAccount
        | Kind::NoBinding
        | Kind::Scope
        | Kind::Reauthenticate
        | Kind::Audience
        | Kind::Protocol => match signer {
            Signer::ServiceAccount => of_key(kind).to_owned(),
            Signer::AuthorizedUser => of_user(kind),
            Signer::MetadataServer => of_machine(kind).to_owned(),
        },
    }
}

fn of_key(kind: Kind) -> &'static str {
    if kind == Kind::Audience {
        "the key is good: correct `token_uri` in the key file; Google's is https://oauth2.googleapis.com/token"
    } else if kind == Kind::UnknownAccount {
        "the service account was deleted or disabled, or the file's client_email is wrong: enable the account, or create \
         another one with a key"
    } else if kind == Kind::Scope {
        "a policy of the organization keeps the account from the scope \
         https://www.googleapis.com/auth/analytics.readonly: ask its administrator to allow it"
    } else if kind == Kind::Protocol {
        "check the key file's token_uri and what stands between here and Google"
    } else {
        "the key was deleted, disabled or belongs to another account: create a new key and replace the file; it is read \
         again by itself, under systemd after a restart of the service"
    }
}

fn of_user(kind: Kind) -> String {
    if kind == Kind::UnknownAccount {
        format!(
            "the OAuth client that the user signed in with was deleted or disabled, or the user was: create a client of \
             the type desktop app in the Cloud console, and run `{GCLOUD_LOGIN}` with its file"
        )
    } else if kind == Kind::Scope {
        format!(
            "the sign-in does not cover {SCOPE}: run `{GCLOUD_LOGIN}` (gcloud's own OAuth client gives no Analytics scope)"
        )
    } else if kind == Kind::Reauthenticate {
        format!(
            "the organization wants its users to sign in again from time to time: run `{GCLOUD_LOGIN}` now; to end this, \
             use a service account"
        )
    } else if kind == Kind::Audience || kind == Kind::Protocol {
        "check the file's token_uri and what stands between here and Google".to_owned()
    } else {
        format!(
            "the sign-in was revoked or has expired (after 7 days where the OAuth client is in testing): run \
             `{GCLOUD_LOGIN}`; the file is read again by itself"
        )
    }
}

fn of_machine(kind: Kind) -> &'static str {
    if kind == Kind::UnknownAccount {
        "attach a service account to this machine (gcloud compute instances set-service-account NAME \
         --service-account=EMAIL --scopes=cloud-platform,https://www.googleapis.com/auth/analytics.readonly), or name a \
         service account's key with --google.credentials-file"
    } else if kind == Kind::NoBinding {
        "annotate the pod's Kubernetes service account with iam.gke.io/gcp-service-account=EMAIL, and grant it \
         roles/iam.workloadIdentityUser on that service account; it takes a few minutes"
    } else if kind == Kind::Scope {
        "give this machine's service account the Analytics scope: stop the machine, and run gcloud compute instances \
         set-service-account NAME --scopes=cloud-platform,https://www.googleapis.com/auth/analytics.readonly"
    } else {
        "check that http://metadata.google.internal is reached without a proxy, service mesh or NetworkPolicy in between \
         (169.254.169.254, ports 80 and 988)"
    }
}

const NO_METADATA_SERVER: &str = "in Google Cloud, wait: it may come seconds after a pod starts; elsewhere, name a service \
    account's key with --google.credentials-file or GOOGLE_APPLICATION_CREDENTIALS";
