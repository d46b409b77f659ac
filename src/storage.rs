//! What a restart should not forget: a small file for each property in the directory of `--storage.path`.
//!
//! Knows files: they are written whole or not at all, and one that is damaged is set aside and costs nothing else.
//! Refuses to know what is in them. Invariant: no failure here stops the exporter; it does without.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error as ThisError;
use tracing::warn;

pub use saver::Saver;

use crate::{chain::Chain, names::PropertyId, shown::ShownPath};

mod format;
mod saver;

/// Why the directory cannot be used; told at the start.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Choose another directory, or let this user write there.
    #[error("--storage.path: {} cannot be used; name a directory that this user may write to", ShownPath(path))]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Give each exporter its own directory.
    #[error("--storage.path: another exporter uses {}; give each its own directory", ShownPath(path))]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// The directory. While this lives, no other exporter can open it.
#[derive(Debug)]
pub struct Storage {
    directory: PathBuf,
    /// Held locked.
    _lock: File,
    was_closed: bool,
}

impl Storage {
    /// Opens a directory, and makes it if it is not there.
    ///
    /// # Errors
    /// It cannot be written to, or somebody else uses it.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::Unusable { path: directory.to_owned(), source };
        fs::create_dir_all(directory).map_err(unusable)?;
        let lock = File::options().create(true).append(true).open(directory.join(LOCK)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_owned(), _lock: lock, was_closed: was_closed(directory) }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { path: directory.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// Whether the last one to use it saved everything before it ended. Otherwise what was saved is minutes old.
    pub fn was_closed(&self) -> bool {
        self.was_closed
    }

    /// Everything is saved, and nothing more will be.
    ///
    /// # Errors
    /// The system's.
    pub fn close(&self) -> io::Result<()> {
        File::create(self.directory.join(CLOSED))?.sync_all()?;
        File::open(&self.directory)?.sync_all()
    }

    /// What was saved of a property, if anything was. A file that cannot be read as such is set aside, with a warning.
    pub fn load<T: DeserializeOwned>(&self, property: PropertyId) -> Option<T> {
        let path = self.file(property);
        let bytes = match read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(%property, file = %ShownPath(&path), error = %Chain(&error), "what was saved cannot be read; beginning anew");
                return None;
            }
        };
        match format::decode(&bytes) {
            Ok(state) => Some(state),
            Err(error) => {
                let aside = path.with_extension(if error.is_of_newer_version() { NEWER } else { DAMAGED });
                // If even that fails, the next save replaces it.
                let _ = fs::rename(&path, &aside);
                warn!(%property, file = %ShownPath(&aside), error = %Chain(&error), "what was saved cannot be used and is set aside; beginning anew");
                None
            }
        }
    }

    /// Replaces what was saved of a property. It is on the disk when this returns.
    ///
    /// # Errors
    /// The system's; what was saved before is then still there.
    pub fn save<T: Serialize>(&self, property: PropertyId, state: &T) -> io::Result<()> {
        let path = self.file(property);
        let new = path.with_extension(NEW);
        let mut file = File::create(&new)?;
        file.write_all(&format::encode(state))?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(&self.directory)?.sync_all()
    }

    fn file(&self, property: PropertyId) -> PathBuf {
        self.directory.join(format!("{property}.{STATE}"))
    }
}

/// Asked once: from then on it is in use.
fn was_closed(directory: &Path) -> bool {
    fs::remove_file(directory.join(CLOSED)).is_ok()
}

/// No file is read further than ours can be long.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}

const LOCK: &str = "lock";

const STATE: &str = "state";

const NEW: &str = "new";

const DAMAGED: &str = "damaged";

const NEWER: &str = "newer";

const CLOSED: &str = "closed";

/// In bytes; the longest that is written has about 7,000.
const LONGEST_FILE: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn id(text: &str) -> PropertyId {
        text.parse().unwrap()
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != LOCK)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_saved_is_there_again() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("made/by/it");
        let storage = Storage::open(&path).unwrap();
        assert_eq!(storage.load::<Vec<u32>>(id("5")), None);
        storage.save(id("5"), &vec![1, 2, 3]).unwrap();
        storage.save(id("5"), &vec![4]).unwrap();
        drop(storage);
        let storage = Storage::open(&path).unwrap();
        assert_eq!(storage.load::<Vec<u32>>(id("5")), Some(vec![4]));
        assert_eq!(storage.load::<Vec<u32>>(id("6")), None);
        assert_eq!(names(&path), ["5.state"]);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_costs_nothing_else() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        for property in ["5", "6"] {
            storage.save(id(property), &vec![1, 2, 3]).unwrap();
        }
        let file = directory.path().join("5.state");
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), flipped, vec![0; 4096], b"{}".to_vec()] {
            fs::write(&file, damaged).unwrap();
            assert_eq!(storage.load::<Vec<u32>>(id("5")), None);
            assert_eq!(names(directory.path()), ["5.damaged", "6.state"]);
        }
        assert_eq!(storage.load::<Vec<u32>>(id("6")), Some(vec![1, 2, 3]));
        storage.save(id("5"), &vec![9]).unwrap();
        assert_eq!(storage.load::<Vec<u32>>(id("5")), Some(vec![9]));
    }

    #[test]
    fn a_file_of_a_newer_version_is_kept_apart() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        storage.save(id("5"), &vec![1]).unwrap();
        let file = directory.path().join("5.state");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("state 1 ", "state 2 ")).unwrap();
        assert_eq!(storage.load::<Vec<u32>>(id("5")), None);
        assert_eq!(names(directory.path()), ["5.newer"]);
    }

    #[test]
    fn it_is_known_whether_everything_was_saved() {
        let directory = TempDir::new().unwrap();
        let open = || Storage::open(directory.path()).unwrap();
        assert!(!open().was_closed(), "it is new");
        open().close().unwrap();
        assert!(open().was_closed());
        assert!(!open().was_closed(), "the one before was killed");
    }

    #[test]
    fn a_save_that_fails_leaves_what_was_there() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        storage.save(id("5"), &vec![1]).unwrap();
        // A directory in the place of the new file.
        fs::create_dir(directory.path().join("5.new")).unwrap();
        assert!(storage.save(id("5"), &vec![2]).is_err());
        assert_eq!(storage.load::<Vec<u32>>(id("5")), Some(vec![1]));
    }

    #[test]
    fn two_exporters_cannot_share_a_directory() {
        let directory = TempDir::new().unwrap();
        let _storage = Storage::open(directory.path()).unwrap();
        assert!(matches!(Storage::open(directory.path()), Err(Error::InUse { .. })));
    }

    #[test]
    fn a_file_in_its_place_is_an_error() {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Storage::open(&file), Err(Error::Unusable { .. })));
    }
}
