//! A directory that other users cannot read.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

use tracing::warn;

use super::{CLOSED, EXTENSIONS, LOCK};
use ga4_exporter_core::shown::ShownPath;

/// Creates a directory that does not exist. An existing one is closed to others if all its content belongs to the exporter;
/// otherwise, as for `/tmp`, a warning says that it is open.
pub(super) fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE).create(path)?;
    if fs::metadata(path)?.permissions().mode() & FOR_OTHERS == 0 {
        return Ok(());
    }
    let is_ours = fs::read_dir(path)?.all(|entry| entry.is_ok_and(|entry| is_ours(Path::new(&entry.file_name()))));
    if !is_ours || fs::set_permissions(path, Permissions::from_mode(PRIVATE)).is_err() {
        warn!(
            directory = %ShownPath(path),
            "other users can look into the directory of --storage.path; give the exporter one of its own, with mode 0700"
        );
    }
    Ok(())
}

fn is_ours(name: &Path) -> bool {
    let is_marker = [LOCK, CLOSED].iter().any(|marker| name.as_os_str() == *marker);
    let extension = name.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    is_marker || EXTENSIONS.contains(&extension)
}

const PRIVATE: u32 = 0o700;

const FOR_OTHERS: u32 = 0o077;
