//! The answer of `/sd`: a list that all clients share, with the host that each of them requested.
//!
//! Only the list is stored. The host comes from a client's headers and is inserted while the answer is sent, so that slow
//! clients do not hold a copy each.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::Mutex;

use super::{Site, budget::NoRoom};
use crate::clock::monotonic;

/// The cached list.
#[derive(Default)]
pub(super) struct TargetList(Mutex<Option<Kept>>);

struct Kept {
    lines: Bytes,
    version: u64,
    made: Instant,
}

impl TargetList {
    /// Returns the labels of every property, a JSON object per line; `None` until they are known. Made for one client at a
    /// time.
    pub(super) async fn lines(&self, site: &Site) -> Result<Option<Bytes>, NoRoom> {
        let mut kept = self.0.lock().await;
        let version = site.exporter.version();
        let found = kept.as_ref().filter(|kept| kept.is_new(version, site.settings.limits.reuse));
        if let Some(found) = found {
            return Ok(Some(found.lines.clone()));
        }
        *kept = None;
        let (exporter, now) = (Arc::clone(&site.exporter), site.clock.now());
        let base = site.settings.base.clone();
        let made = monotonic();
        let work = move || exporter.targets(base.scheme(), base.external_prefix(), now);
        let Some(lines) = site.page_workers.run(work).await else { return Ok(None) };
        let lines = site.budget.admit(lines.into_bytes())?;
        *kept = Some(Kept { lines: lines.clone(), version, made });
        Ok(Some(lines))
    }
}

impl Kept {
    fn is_new(&self, version: u64, reuse: Duration) -> bool {
        self.version == version && self.made.elapsed() < reuse
    }
}

/// The target groups that are still to be sent to one client, with its host.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// The remaining lines.
    lines: Bytes,
    /// The beginning of each group.
    head: Bytes,
    /// Whether the opening and the closing bracket of the list are still to be sent.
    opens: bool,
    closes: bool,
    left: u64,
}

impl Groups {
    /// Creates the whole answer.
    pub(super) fn new(lines: Bytes, host: &str) -> Self {
        let host = serde_json::to_string(host).expect("a text can be written");
        let head = Bytes::from(format!("{{\"targets\":[{host}],\"labels\":"));
        let count = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        // The closing brace of a group takes the place of the line's end; a comma separates groups.
        let left = 2 + lines.len() as u64 + count * head.len() as u64 + count.saturating_sub(1);
        Self { lines, head, opens: true, closes: true, left }
    }

    /// The remaining bytes.
    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

impl Iterator for Groups {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if !self.closes {
            return None;
        }
        let mut piece = BytesMut::with_capacity(PIECE + PIECE / 4);
        while piece.len() < PIECE {
            let Some(end) = self.lines.iter().position(|byte| *byte == b'\n') else { break };
            let line = self.lines.split_to(end + 1);
            piece.extend_from_slice(if std::mem::take(&mut self.opens) { b"[" } else { b"," });
            piece.extend_from_slice(&self.head);
            piece.extend_from_slice(line.trim_ascii_end());
            piece.extend_from_slice(b"}");
        }
        if self.lines.is_empty() {
            piece.extend_from_slice(if std::mem::take(&mut self.opens) { b"[]" } else { b"]" });
            self.closes = false;
        }
        self.left = self.left.saturating_sub(piece.len() as u64);
        Some(piece.freeze())
    }
}

/// The size of a chunk in bytes.
const PIECE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(lines: &str, host: &str) -> String {
        let mut groups = Groups::new(Bytes::copy_from_slice(lines.as_bytes()), host);
        let promised = groups.left();
        let mut text = Vec::new();
        for piece in groups.by_ref() {
            assert!(piece.len() < PIECE + 1000, "a piece is bounded");
            text.extend_from_slice(&piece);
        }
        assert_eq!((promised, groups.left()), (text.len() as u64, 0));
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn each_group_has_the_host_that_was_asked() {
        assert_eq!(whole("", "h"), "[]");
        assert_eq!(whole("{\"a\":1}\n", "h:1"), r#"[{"targets":["h:1"],"labels":{"a":1}}]"#);
        let expected = r#"[{"targets":["h"],"labels":{}},{"targets":["h"],"labels":{"b":2}}]"#;
        assert_eq!(whole("{}\n{\"b\":2}\n", "h"), expected);
    }

    #[test]
    fn a_long_list_comes_in_pieces() {
        let text = whole(&"{\"label\":\"value\"}\n".repeat(10_000), "exporter:9674");
        let groups: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(groups.len(), 10_000);
        assert!(groups.iter().all(|group| group["targets"][0] == "exporter:9674"));
    }
}
