//! The closed sets of label values.

/// Declares a fieldless enum with its label values and the list of all of them.
macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All members, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value of the label.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

closed_set! {
    /// The service of Google's that a request is for.
    Api {
        /// The Analytics Data API.
        Data = "data",
        /// The Analytics Admin API.
        Admin = "admin",
        /// The OAuth token endpoint.
        Token = "token",
    }
}

closed_set! {
    /// The method of the service.
    Method {
        /// `properties.runReport`.
        RunReport = "runReport",
        /// `properties.batchRunReports`.
        BatchRunReports = "batchRunReports",
        /// `properties.runRealtimeReport`.
        RunRealtimeReport = "runRealtimeReport",
        /// `accountSummaries.list`.
        AccountSummaries = "accountSummaries",
        /// `properties.get`.
        GetProperty = "getProperty",
        /// `properties.getMetadata`.
        GetMetadata = "getMetadata",
        /// `properties.checkCompatibility`.
        CheckCompatibility = "checkCompatibility",
        /// The token request.
        Token = "token",
    }
}

impl Method {
    /// The service that has this method.
    pub fn api(self) -> Api {
        match self {
            Self::RunReport
            | Self::BatchRunReports
            | Self::RunRealtimeReport
            | Self::GetMetadata
            | Self::CheckCompatibility => Api::Data,
            Self::AccountSummaries | Self::GetProperty => Api::Admin,
            Self::Token => Api::Token,
        }
    }
}

closed_set! {
    /// Why a series of an answer is not exported.
    DropReason {
        /// The report has more rows than its limit of series.
        Limit = "limit",
        /// Its value is not valid for its metric.
        InvalidValue = "invalid_value",
        /// Another row has the same labels.
        Duplicate = "duplicate",
    }
}

closed_set! {
    /// Why a request or a report failed, classified by what an operator has to do.
    Reason {
        /// The report is misconfigured for this property.
        InvalidRequest = "invalid_request",
        /// Google refuses even a fresh token.
        Unauthenticated = "unauthenticated",
        /// The account may not read this property.
        NoAccess = "no_access",
        /// Google no longer lists the property.
        NotListed = "not_listed",
        /// The API is not enabled in the account's Cloud project.
        ApiDisabled = "api_disabled",
        /// The token lacks the Analytics scope.
        InsufficientScope = "insufficient_scope",
        /// The Cloud project that requests count for is missing, unusable for the account, suspended or without billing.
        CloudProject = "cloud_project",
        /// A policy of the Google Cloud organization refuses the request.
        Perimeter = "perimeter",
        /// The property's tokens of the day are used up.
        QuotaDay = "quota_day",
        /// The property's tokens of the hour are used up.
        QuotaHour = "quota_hour",
        /// This Cloud project's hourly tokens for the property are used up.
        QuotaProjectHour = "quota_project_hour",
        /// Too many requests to the property at once.
        QuotaConcurrent = "quota_concurrent",
        /// Too many requests with demographic dimensions.
        QuotaThresholded = "quota_thresholded",
        /// Too many failed requests to the property.
        QuotaClientErrors = "quota_client_errors",
        /// A quota that Google's text does not name.
        QuotaUnknown = "quota_unknown",
        /// The Cloud project, or this machine's address, sends too many requests.
        RateLimit = "rate_limit",
        /// Google failed or cancelled the request: 408, 409, 499, 500 and above.
        ServerError = "server_error",
        /// No complete answer in time.
        Timeout = "timeout",
        /// DNS, TCP or TLS failed, or the connection was cut.
        Connection = "connection",
        /// An answer that does not match the request.
        Protocol = "protocol",
        /// This machine's clock is wrong, and so are its dates.
        Clock = "clock",
        /// There is no access token.
        NoCredentials = "no_credentials",
    }
}

impl Reason {
    /// Whether the failure lasts until an operator does something.
    pub fn needs_operator(self) -> bool {
        matches!(
            self,
            Self::InvalidRequest
                | Self::NoAccess
                | Self::NotListed
                | Self::ApiDisabled
                | Self::InsufficientScope
                | Self::CloudProject
                | Self::Perimeter
        )
    }

    /// Whether it concerns a property as a whole, whichever of its reports has met it.
    pub fn concerns_property(self) -> bool {
        matches!(self, Self::NoAccess | Self::NotListed)
    }
}

closed_set! {
    /// Why no access token was received.
    TokenReason {
        /// The machine's clock is wrong.
        Clock = "clock",
        /// Google refuses the key, or the key file is invalid.
        InvalidKey = "invalid_key",
        /// The account or OAuth client does not exist, was deleted, or is disabled.
        UnknownAccount = "unknown_account",
        /// The account may not have the Analytics scope.
        Scope = "scope",
        /// Too many requests for a token.
        RateLimit = "rate_limit",
        /// The user must sign in again because of the organization's policy.
        Reauthenticate = "reauthenticate",
        /// No answer in time.
        Timeout = "timeout",
        /// DNS, TCP or TLS failed, or the connection was cut.
        Connection = "connection",
        /// The token endpoint failed.
        ServerError = "server_error",
        /// An answer that is not a token.
        Protocol = "protocol",
    }
}

closed_set! {
    /// The two independent sets of quota buckets that reports draw on.
    Category {
        /// `runReport` and its batch.
        Core = "core",
        /// `runRealtimeReport`.
        Realtime = "realtime",
    }
}

closed_set! {
    /// The quota buckets of one category of one property.
    Bucket {
        /// Tokens per property and day; refilled at midnight Pacific time.
        Day = "day",
        /// Tokens per property and hour.
        Hour = "hour",
        /// Tokens per Cloud project, property and hour.
        ProjectHour = "project_hour",
        /// Requests with demographic dimensions per hour.
        Thresholded = "thresholded",
        /// Requests at the same time.
        Concurrent = "concurrent",
        /// Failed requests per Cloud project, property and quarter of an hour.
        ClientErrors = "client_errors",
        /// 500 and 503 answers per Cloud project, property and hour.
        ServerErrors = "server_errors",
        /// A bucket that this version does not know.
        Unknown = "unknown",
    }
}

closed_set! {
    /// The part of the HTTP server that a request is for.
    Handler {
        /// The metrics.
        Metrics = "metrics",
        /// The metrics of one property.
        Probe = "probe",
        /// The properties as targets.
        Sd = "sd",
        /// The status page.
        Status = "status",
        /// The documents.
        Docs = "docs",
        /// The configuration.
        Config = "config",
        /// Whether the process is alive.
        Healthy = "healthy",
        /// Whether a scrape has useful data.
        Ready = "ready",
        /// Reloading the configuration.
        Reload = "reload",
        /// Every other path.
        Other = "other",
    }
}

closed_set! {
    /// Why the HTTP server refused a client.
    RefusedReason {
        /// The limit of connections was reached.
        Limit = "limit",
        /// The limit of connections of the client's address was reached.
        AddressLimit = "address_limit",
        /// The memory for responses was exhausted.
        Memory = "memory",
        /// The connection could not be accepted: no file descriptor or no memory was left.
        Descriptors = "descriptors",
        /// The TLS handshake failed or took too long.
        TlsHandshake = "tls_handshake",
        /// The header of a request took too long.
        HeaderTimeout = "header_timeout",
    }
}
