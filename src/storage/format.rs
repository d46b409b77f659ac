//! The format of a file: a line with its kind, version and checksum, followed by JSON.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error as ThisError;

/// Why bytes are not a valid file.
#[derive(Debug, ThisError)]
pub(super) enum FormatError {
    /// Another kind of file, or cut off at the beginning.
    #[error("it is not a file of this exporter")]
    Foreign,
    /// Written by a newer exporter.
    #[error("it is of version {0}, and this exporter knows version {VERSION}")]
    Version(u32),
    /// Cut off or changed.
    #[error("its checksum is wrong")]
    Checksum,
    /// JSON of another shape.
    #[error("its content does not match the expected format")]
    Content(#[source] serde_json::Error),
}

impl FormatError {
    pub(super) fn is_of_newer_version(&self) -> bool {
        matches!(self, Self::Version(version) if *version > VERSION)
    }
}

pub(super) fn encode<T: Serialize>(state: &T) -> Vec<u8> {
    let content = serde_json::to_vec(state).expect("texts, numbers and lists always serialise");
    let mut bytes = format!("{MAGIC}{VERSION} {:08x}\n", checksum(&content)).into_bytes();
    bytes.extend_from_slice(&content);
    bytes
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FormatError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(FormatError::Foreign)?;
    let (line, content) = bytes.split_at(end);
    let line = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix(MAGIC)).ok_or(FormatError::Foreign)?;
    let (version, sum) = line.split_once(' ').ok_or(FormatError::Foreign)?;
    let version: u32 = version.parse().map_err(|_| FormatError::Foreign)?;
    if version != VERSION {
        return Err(FormatError::Version(version));
    }
    let content = content.get(1..).unwrap_or_default();
    if u32::from_str_radix(sum, 16).ok() != Some(checksum(content)) {
        return Err(FormatError::Checksum);
    }
    serde_json::from_slice(content).map_err(FormatError::Content)
}

/// CRC-32, as in gzip.
fn checksum(content: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(content);
    sum.sum()
}

const MAGIC: &str = "google_analytics_exporter state ";

const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_damage_has_a_name() {
        let good = encode(&7_u32);
        assert_eq!(decode::<u32>(&good).unwrap(), 7);
        let text = String::from_utf8(good).unwrap();
        let wrong = |text: &str| decode::<u32>(text.as_bytes()).unwrap_err();
        assert!(matches!(wrong(""), FormatError::Foreign));
        assert!(matches!(wrong(&text.replace("state 1", "state 2")), FormatError::Version(2)));
        assert!(matches!(wrong(&text.replace('7', "8")), FormatError::Checksum | FormatError::Foreign));
        assert!(matches!(wrong(&text[..text.len() - 1]), FormatError::Checksum));
        assert!(matches!(decode::<String>(text.as_bytes()).unwrap_err(), FormatError::Content(_)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<u32>(&bytes);
            let mut ours = encode(&7_u32);
            ours.truncate(bytes.len());
            let _ = decode::<u32>(&ours);
        }

        #[test]
        fn any_damage_is_seen(
            state in prop::collection::vec(any::<u32>(), 0..50),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encode(&state);
            let at = at.index(bytes.len());
            bytes.splice(at..=at, [byte]);
            if let Ok(read) = decode::<Vec<u32>>(&bytes) {
                prop_assert_eq!(read, state);
            }
        }
    }
}
