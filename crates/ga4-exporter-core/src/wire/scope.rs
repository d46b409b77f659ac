//! The scope that requests need, and how a user signs in with it.

/// The only scope that is ever requested.
pub const SCOPE: &str = "https://www.googleapis.com/auth/analytics.readonly";

/// How a user signs in for this exporter. gcloud's own OAuth client has given no Analytics scope since 2025-06-23, so
/// users need a client of their own; gcloud requires cloud-platform among the scopes.
pub const GCLOUD_LOGIN: &str = "gcloud auth application-default login --client-id-file=CLIENT.json \
    --scopes=https://www.googleapis.com/auth/analytics.readonly,https://www.googleapis.com/auth/cloud-platform";
