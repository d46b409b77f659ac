//! Removes the files of properties that no longer exist.
//!
//! The files of a property that disappears while the exporter runs are removed at once. Those of one that disappeared while no
//! exporter ran are removed once they are too old to be useful.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, DirEntry},
    io,
    path::Path,
};

use jiff::{SignedDuration, Timestamp};

use super::{EXTENSIONS, Storage};
use ga4_exporter_core::names::PropertyId;

impl Storage {
    /// Removes all files of these properties; missing ones count as removed. Returns the first failure.
    pub fn remove(&self, properties: &BTreeSet<PropertyId>) -> Option<io::Error> {
        let mut failure = None;
        for property in properties {
            for extension in EXTENSIONS {
                if let Err(error) = removed(&self.file(*property).with_extension(extension)) {
                    failure.get_or_insert(error);
                }
            }
        }
        failure
    }

    /// Removes the files of all other properties that were not written for 30 days. Returns the first failure.
    pub fn sweep(&self, known: &BTreeSet<PropertyId>, now: Timestamp) -> Option<io::Error> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) => return Some(error),
        };
        let is_forgotten = |entry: &DirEntry| {
            let of = property_of(Path::new(&entry.file_name()));
            of.is_some_and(|property| !known.contains(&property)) && is_old(entry, now)
        };
        let forgotten = entries.filter_map(Result::ok).filter(is_forgotten);
        forgotten.filter_map(|entry| removed(&entry.path()).err()).next()
    }
}

/// Returns the property that a file's name belongs to.
fn property_of(name: &Path) -> Option<PropertyId> {
    let extension = name.extension().and_then(OsStr::to_str)?;
    let property = name.file_stem().and_then(OsStr::to_str)?;
    EXTENSIONS.contains(&extension).then(|| property.parse().ok()).flatten()
}

fn is_old(entry: &DirEntry, now: Timestamp) -> bool {
    let written = entry.metadata().ok().filter(fs::Metadata::is_file).and_then(|file| file.modified().ok());
    let written = written.and_then(|at| Timestamp::try_from(at).ok());
    written.is_some_and(|at| now.duration_since(at) >= OF_NO_USE)
}

fn removed(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

/// An unlisted property is shown for 7 days, and an exporter may be down for as long, or longer.
const OF_NO_USE: SignedDuration = SignedDuration::from_hours(30 * 24);

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        time::{Duration, SystemTime},
    };

    use tempfile::TempDir;

    use super::*;
    use crate::clock::Clock;

    fn ids(texts: &[&str]) -> BTreeSet<PropertyId> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn filled(names: &[&str]) -> (TempDir, Storage) {
        let directory = TempDir::new().unwrap();
        let storage = Storage::open(directory.path()).unwrap();
        for name in names {
            fs::write(directory.path().join(name), "").unwrap();
        }
        (directory, storage)
    }

    fn names(directory: &TempDir) -> Vec<String> {
        let entries = fs::read_dir(directory.path()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn all_files_of_a_property_are_removed_and_nobody_elses() {
        let (directory, storage) =
            filled(&["5.state", "5.new", "5.damaged", "5.newer", "5.notes", "55.state", "closed"]);
        assert!(storage.remove(&ids(&["5", "7"])).is_none());
        assert_eq!(names(&directory), ["5.notes", "55.state", "closed", "lock"]);
    }

    #[test]
    fn one_that_cannot_be_removed_keeps_no_other() {
        let (directory, storage) = filled(&["6.state"]);
        fs::create_dir(directory.path().join("5.state")).unwrap();
        assert!(storage.remove(&ids(&["5", "6"])).is_some());
        assert_eq!(names(&directory), ["5.state", "lock"]);
    }

    #[test]
    fn only_old_files_of_unknown_properties_are_swept() {
        let all = ["5.state", "6.state", "6.damaged", "7.state", "08.state", "closed", "notes.state"];
        let (directory, storage) = filled(&all);
        let now = SystemTime::from(Clock::system().now());
        let set = |name: &str, days: u64| {
            let file = File::options().write(true).open(directory.path().join(name)).unwrap();
            file.set_modified(now - Duration::from_hours(24 * days)).unwrap();
        };
        all.iter().for_each(|name| set(name, 31));
        set("7.state", 29);
        assert!(storage.sweep(&ids(&["5"]), Timestamp::try_from(now).unwrap()).is_none());
        let left = names(&directory);
        for (name, expected) in [("5.state", true), ("6.state", false), ("6.damaged", false), ("7.state", true)] {
            assert_eq!(left.contains(&name.to_owned()), expected, "{name}");
        }
        assert!(["closed", "lock", "notes.state"].iter().all(|name| left.contains(&(*name).to_owned())));
    }
}
