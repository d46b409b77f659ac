use crate::row::Row;
pub(super) fn rows() -> Vec<Row> { Vec::new() }
