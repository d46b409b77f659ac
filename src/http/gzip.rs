//! Compression.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

/// Compresses a text into one gzip member.
pub(super) fn compress(text: &[u8]) -> Vec<u8> {
    let mut packer = Packer::with_capacity(text.len() / USUAL_RATIO);
    packer.add(text);
    packer.finish()
}

/// The same for a text in pieces.
pub(super) fn compress_all(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut packer = Packer::with_capacity(0);
    pieces.for_each(|piece| packer.add(piece.as_ref()));
    packer.finish()
}

/// Compresses a text that comes in pieces.
pub(super) struct Packer(GzEncoder<Vec<u8>>);

impl Packer {
    /// Creates a packer with room for this many bytes of compressed text.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self(GzEncoder::new(Vec::with_capacity(capacity), Compression::new(LEVEL)))
    }

    /// Adds the next piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.0.write_all(piece).expect("writing to memory does not fail");
    }

    /// Returns the compressed text.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut gzip = self.0.finish().expect("writing to memory does not fail");
        gzip.shrink_to_fit();
        gzip
    }
}

/// Level 2 takes a quarter of the time of the usual 6, half that of 3, and the result is a tenth longer: see `benches/render.rs`.
const LEVEL: u32 = 2;

/// The rough compression ratio.
const USUAL_RATIO: usize = 8;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_packed_text_is_one_member_that_unpacks_to_it() {
        for text in [&b""[..], b"a", &b"some_metric 1\n".repeat(10_000)] {
            let gzip = compress(text);
            assert_eq!(compress_all(text.chunks(1000)), gzip);
            let mut decoder = GzDecoder::new(&*gzip);
            let mut unpacked = Vec::new();
            decoder.read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, text);
            assert!(decoder.into_inner().is_empty());
        }
    }
}
