//! Detects that a file was replaced, without reading it.

use std::{fs, io, os::unix::fs::MetadataExt, path::Path};

/// Distinguishes a replaced file from the one that was read, also behind the symbolic links of Kubernetes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Fingerprint {
    /// Returns the fingerprint of the file as it is now; `None` if there is no file.
    pub fn of(path: &Path) -> Option<Self> {
        let read = || -> io::Result<Self> {
            let metadata = fs::metadata(path)?;
            Ok(Self {
                device: metadata.dev(),
                inode: metadata.ino(),
                size: metadata.size(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
            })
        };
        read().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_has_another_fingerprint() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.json");
        assert_eq!(Fingerprint::of(&path), None);
        fs::write(&path, "a").unwrap();
        let first = Fingerprint::of(&path);
        fs::write(directory.path().join("new"), "b").unwrap();
        fs::rename(directory.path().join("new"), &path).unwrap();
        assert_ne!(Fingerprint::of(&path), first);
    }
}
