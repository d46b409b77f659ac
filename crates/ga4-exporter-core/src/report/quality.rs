//! How far the values of an answer can be trusted, as Google says it itself.

/// What Google says about the values of one core report (`ResponseMetaData`). Realtime answers say nothing of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReportQuality {
    /// Which part of the events was read, from 0 to 1: below 1 the values are estimates. The least of all ranges.
    pub sampled_ratio: f64,
    /// Whether Google may have withheld rows of few users.
    pub thresholded: bool,
    /// Whether Google has merged rows into `(other)`.
    pub data_loss: bool,
    /// Whether Google hides a requested metric from the account, because of its role.
    pub restricted: bool,
}
