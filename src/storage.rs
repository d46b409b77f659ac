//! State that survives a restart: a small file per property in the directory of `--storage.path`.
//!
//! Knows files: they are written atomically, and a damaged one is renamed without harm to others. Refuses to know their content
//! and the names of properties. Invariant: no failure here stops the exporter; it continues without stored state.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error as ThisError;

pub use saver::Saver;

use ga4_exporter_core::{names::PropertyId, shown::ShownPath};

use crate::files::{self, Aside, LOOK_DEADLINE, READ_DEADLINE};

mod format;
mod gone;
mod private;
mod saver;

/// Why the directory cannot be used; reported at the start.
#[derive(Debug, ThisError)]
pub enum StorageError {
    /// Choose another directory, or let this user write there.
    #[error("--storage.path: {} cannot be used; name a directory that this user may write to", ShownPath(path))]
    Unusable {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Give each exporter its own directory.
    #[error("--storage.path: another exporter uses {}; give each its own directory", ShownPath(path))]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// Why the saved state of a property is not used.
#[derive(Debug, ThisError)]
pub enum LoadError {
    /// The file stays where it is; the next save replaces it.
    #[error("cannot read {}", ShownPath(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is damaged, or was written by a newer version.
    #[error("cannot use the file, which is now called {}", ShownPath(renamed))]
    Unusable {
        /// The file, after it was renamed.
        renamed: PathBuf,
        /// What is wrong with its content.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The open directory. While this exists, no other exporter can open it.
#[derive(Debug)]
pub struct Storage {
    directory: PathBuf,
    /// The lock file, locked.
    _lock: File,
    /// The properties that the previous process had saved completely when it ended.
    closed: BTreeSet<PropertyId>,
    /// The properties whose current state is on the disk.
    saved: Mutex<BTreeSet<PropertyId>>,
    /// Reads states on a thread of its own: the disk may hang.
    aside: Aside,
}

impl Storage {
    /// Opens a directory, and creates it if it does not exist. Other users cannot read its content.
    ///
    /// # Errors
    /// It is not writable, or another process uses it.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        let unusable = |source| StorageError::Unusable { path: directory.to_owned(), source };
        private::make(directory).map_err(unusable)?;
        let lock = files::own().create(true).append(true).open(directory.join(LOCK)).map_err(unusable)?;
        // Private, since anybody who may open the lock file can lock it.
        lock.set_permissions(Permissions::from_mode(0o600)).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StorageError::InUse { path: directory.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        let closed = closed(directory);
        let saved = Mutex::new(closed.clone());
        Ok(Self { directory: directory.to_owned(), _lock: lock, closed, saved, aside: Aside::start("saved states") })
    }

    /// The same with a deadline of some seconds, for a disk that hangs.
    ///
    /// # Errors
    /// As [`open`](Self::open), or the deadline has passed.
    pub async fn open_in_time(directory: &Path) -> Result<Self, StorageError> {
        let path = directory.to_owned();
        let opened = Aside::start("storage").run(READ_DEADLINE, move || Self::open(&path)).await;
        opened.unwrap_or_else(|hangs| Err(StorageError::Unusable { path: directory.to_owned(), source: hangs.into() }))
    }

    /// Whether the previous process had saved a property completely before it ended. Otherwise its state is minutes old.
    pub fn was_closed(&self, property: PropertyId) -> bool {
        self.closed.contains(&property)
    }

    /// Marks the saved states as incomplete, since states change from now on.
    pub fn begin(&self) {
        // Without the file there is nothing to remove; on a full disk it cannot be written again either.
        let _ = fs::remove_file(self.directory.join(CLOSED));
    }

    /// Marks the saved states as complete, except for properties that were not saved; called at the end.
    ///
    /// # Errors
    /// The system's error.
    pub fn close(&self) -> io::Result<()> {
        let properties: Vec<String> = self.with_saved(|saved| saved.iter().map(PropertyId::to_string).collect());
        let (new, path) = (self.directory.join(CLOSED).with_extension(NEW), self.directory.join(CLOSED));
        write(&new, &format::encode(&properties))?.sync_all()?;
        fs::rename(&new, &path)?;
        File::open(&self.directory)?.sync_all()
    }

    /// Reads the saved state of a property, if there is one. A damaged file is renamed.
    ///
    /// # Errors
    /// The file cannot be read or used, or the disk hangs.
    pub fn load<T: DeserializeOwned + Send + 'static>(&self, property: PropertyId) -> Result<Option<T>, LoadError> {
        let path = self.file(property);
        let file = path.clone();
        let loaded = self.aside.wait(LOOK_DEADLINE, move || load(&file));
        loaded.unwrap_or_else(|hangs| Err(LoadError::Unreadable { path, source: hangs.into() }))
    }

    /// Replaces the saved states of some properties, durably. Properties that cannot be saved keep their previous state.
    /// Returns the first failure.
    pub fn save<T: Serialize>(&self, states: &[(PropertyId, T)]) -> Option<io::Error> {
        let mut failure = None;
        let mut written = Vec::new();
        for (property, state) in states {
            let new = self.file(*property).with_extension(NEW);
            let is_alone = states.len() <= FEW;
            match write(&new, &format::encode(state)).and_then(|file| if is_alone { file.sync_all() } else { Ok(()) }) {
                Ok(()) => written.push((*property, new)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        // Each sync takes milliseconds, whatever its size: many files share one.
        if states.len() > FEW
            && let Err(error) = self.sync(&written)
        {
            written.clear();
            failure = failure.or(Some(error));
        }
        let mut replaced = BTreeSet::new();
        for (property, new) in written {
            match fs::rename(new, self.file(property)) {
                Ok(()) => drop(replaced.insert(property)),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if let Err(error) = File::open(&self.directory).and_then(|directory| directory.sync_all()) {
            replaced.clear();
            failure = failure.or(Some(error));
        }
        self.with_saved(|saved| {
            for (property, _) in states {
                if replaced.contains(property) {
                    saved.insert(*property)
                } else {
                    saved.remove(property)
                };
            }
        });
        failure
    }

    /// Marks the saved state of a property as outdated.
    pub fn forget(&self, property: PropertyId) {
        self.with_saved(|saved| saved.remove(&property));
    }

    /// Syncs everything that was written.
    #[cfg(target_os = "linux")]
    fn sync(&self, _: &[(PropertyId, PathBuf)]) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(&self.directory)?)?)
    }

    #[cfg(not(target_os = "linux"))]
    fn sync(&self, written: &[(PropertyId, PathBuf)]) -> io::Result<()> {
        written.iter().try_for_each(|(_, path)| File::open(path)?.sync_all())
    }

    fn with_saved<R>(&self, change: impl FnOnce(&mut BTreeSet<PropertyId>) -> R) -> R {
        change(&mut self.saved.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn file(&self, property: PropertyId) -> PathBuf {
        self.directory.join(format!("{property}.{STATE}"))
    }
}

impl StorageError {
    /// Whether the only problem is a disk that hangs.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unusable { source, .. } if source.kind() == io::ErrorKind::TimedOut)
    }
}

/// Reads the properties that were saved completely; none if the previous process was killed.
fn closed(directory: &Path) -> BTreeSet<PropertyId> {
    let read = files::read_own(&directory.join(CLOSED), LONGEST_FILE).ok();
    let properties: Vec<String> = read.and_then(|bytes| format::decode(&bytes).ok()).unwrap_or_default();
    properties.iter().filter_map(|property| property.parse().ok()).collect()
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, LoadError> {
    let bytes = match files::read_own(path, LONGEST_FILE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(LoadError::Unreadable { path: path.to_owned(), source }),
    };
    format::decode(&bytes).map(Some).map_err(|error| {
        let renamed = path.with_extension(if error.is_of_newer_version() { NEWER } else { DAMAGED });
        // If that fails too, the next save replaces the file.
        let _ = fs::rename(path, &renamed);
        LoadError::Unusable { renamed, source: Box::new(error) }
    })
}

/// Replaces whatever has the file's name, even a link, with a new file.
fn write(path: &Path, bytes: &[u8]) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = files::own().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    Ok(file)
}

const LOCK: &str = "lock";

const STATE: &str = "state";

const NEW: &str = "new";

const DAMAGED: &str = "damaged";

const NEWER: &str = "newer";

/// The endings of a property's files.
const EXTENSIONS: [&str; 4] = [STATE, NEW, DAMAGED, NEWER];

const CLOSED: &str = "closed";

/// The longest file that is read, in bytes; the longest that is written has about 7,000, or some per property.
const LONGEST_FILE: u64 = 1 << 20;

/// Up to this many files are synced one by one, so that other files on the disk do not have to be synced each time.
const FEW: usize = 32;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use ga4_exporter_core::chain::Chain;
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
        assert_eq!(storage.load::<Vec<u32>>(id("5")).unwrap(), None);
        assert!(storage.save(&[(id("5"), vec![1, 2, 3])]).is_none());
        assert!(storage.save(&[(id("5"), vec![4])]).is_none());
        drop(storage);
        let storage = Storage::open(&path).unwrap();
        assert_eq!(storage.load::<Vec<u32>>(id("5")).unwrap(), Some(vec![4]));
        assert_eq!(storage.load::<Vec<u32>>(id("6")).unwrap(), None);
        assert_eq!(names(&path), ["5.state"]);
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_costs_nothing_else() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        for property in ["5", "6"] {
            assert!(storage.save(&[(id(property), vec![1, 2, 3])]).is_none());
        }
        let file = directory.path().join("5.state");
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        for damaged in [Vec::new(), whole[..whole.len() / 2].to_vec(), flipped, vec![0; 4096], b"{}".to_vec()] {
            fs::write(&file, damaged).unwrap();
            let error = storage.load::<Vec<u32>>(id("5")).unwrap_err();
            assert!(Chain(&error).to_string().contains("5.damaged: it"), "{}", Chain(&error));
            assert_eq!(names(directory.path()), ["5.damaged", "6.state"]);
        }
        assert_eq!(storage.load::<Vec<u32>>(id("6")).unwrap(), Some(vec![1, 2, 3]));
        assert!(storage.save(&[(id("5"), vec![9])]).is_none());
        assert_eq!(storage.load::<Vec<u32>>(id("5")).unwrap(), Some(vec![9]));
    }

    #[test]
    fn a_file_of_a_newer_version_is_kept_apart() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        assert!(storage.save(&[(id("5"), vec![1])]).is_none());
        let file = directory.path().join("5.state");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("state 1 ", "state 2 ")).unwrap();
        assert!(matches!(storage.load::<Vec<u32>>(id("5")), Err(LoadError::Unusable { .. })));
        assert_eq!(names(directory.path()), ["5.newer"]);
    }

    #[test]
    fn only_what_was_saved_counts_as_closed() {
        let directory = TempDir::new().unwrap();
        let open = || Storage::open(directory.path()).unwrap();
        let closed = |storage: &Storage| ["5", "6", "7"].map(|property| storage.was_closed(id(property)));
        let storage = open();
        assert_eq!(closed(&storage), [false; 3], "it is new");
        storage.begin();
        assert!(storage.save(&[(id("5"), 1), (id("6"), 1), (id("7"), 1)]).is_none());
        fs::create_dir(directory.path().join("6.new")).unwrap();
        assert!(storage.save(&[(id("6"), 2), (id("7"), 2)]).is_some());
        storage.close().unwrap();
        drop(storage);
        assert_eq!(closed(&open()), [true, false, true]);
        assert_eq!(closed(&open()), [true, false, true], "a start that failed changes nothing");
        open().begin();
        assert_eq!(closed(&open()), [false; 3], "the one before was killed");
    }

    #[test]
    fn many_are_saved_at_once() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        let states: Vec<_> = (1..=1_200).map(|number| (id(&number.to_string()), number)).collect();
        assert!(storage.save(&states).is_none());
        assert!(states.iter().all(|(property, state)| storage.load::<i32>(*property).unwrap() == Some(*state)));
        assert_eq!(names(directory.path()).len(), 1_200);
    }

    #[test]
    fn nobody_else_can_read_it_and_no_link_is_followed() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("states");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        fs::create_dir(&path).unwrap();
        fs::write(path.join(LOCK), "").unwrap();
        for open in [&path, &path.join(LOCK)] {
            fs::set_permissions(open, Permissions::from_mode(0o755)).unwrap();
        }
        let secret = directory.path().join("secret");
        fs::write(&secret, "precious").unwrap();
        for name in ["5.new", "closed.new", "6.state"] {
            symlink(&secret, path.join(name)).unwrap();
        }
        let storage = Storage::open(&path).unwrap();
        assert!(storage.save(&[(id("5"), 1)]).is_none());
        storage.close().unwrap();
        assert!(matches!(storage.load::<i32>(id("6")), Err(LoadError::Unreadable { .. })), "a link");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "precious");
        assert_eq!(mode(&path), 0o700);
        assert_eq!(["lock", "5.state", "closed"].map(|name| mode(&path.join(name))), [0o600; 3]);
        drop(storage);
        fs::remove_file(path.join(LOCK)).unwrap();
        symlink(&secret, path.join(LOCK)).unwrap();
        assert!(matches!(Storage::open(&path), Err(StorageError::Unusable { .. })));
    }

    #[test]
    fn a_save_that_fails_leaves_what_was_there() {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        assert!(storage.save(&[(id("5"), vec![1])]).is_none());
        // A directory in the place of the new file.
        fs::create_dir(directory.path().join("5.new")).unwrap();
        assert!(storage.save(&[(id("5"), vec![2]), (id("6"), vec![3])]).is_some());
        assert_eq!(storage.load::<Vec<u32>>(id("5")).unwrap(), Some(vec![1]));
        assert_eq!(storage.load::<Vec<u32>>(id("6")).unwrap(), Some(vec![3]));
    }

    #[test]
    fn two_exporters_cannot_share_a_directory() {
        let directory = TempDir::new().unwrap();
        let _storage = Storage::open(directory.path()).unwrap();
        assert!(matches!(Storage::open(directory.path()), Err(StorageError::InUse { .. })));
    }

    #[test]
    fn a_file_in_its_place_is_an_error() {
        let directory = TempDir::new().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(Storage::open(&file), Err(StorageError::Unusable { .. })));
    }
}
