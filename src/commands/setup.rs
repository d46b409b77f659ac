//! The settings of a command, from its flags and the configuration.

use std::{io::Write, path::PathBuf};

use jiff::Timestamp;

use super::CommandError;
use crate::{
    cli::{AccessFlags, SetupFlags},
    config::Loaded,
    files::Aside,
    reload::ConfigSource,
};

/// The configuration, and how to reach Google.
pub(super) struct Setup {
    pub(super) loaded: Loaded,
    pub(super) access: AccessFlags,
    /// The credential file that the command line or the configuration names.
    pub(super) credentials_file: Option<PathBuf>,
}

impl Setup {
    /// Reads the configuration. Does not apply `--property`: the command does that itself, since the file may list
    /// other properties.
    ///
    /// # Errors
    /// All mistakes in the file.
    pub(super) async fn load(flags: &SetupFlags) -> Result<Self, CommandError> {
        let source = ConfigSource {
            file: flags.config_file.clone(),
            properties: Vec::new(),
            credentials_file: flags.access.credentials_file.clone(),
        };
        let loaded = source.load_aside(&Aside::start("configuration")).await?;
        let credentials_file = source.credentials_file(&loaded.config);
        Ok(Self { loaded, access: flags.access.clone(), credentials_file })
    }

    /// Prints what is doubtful in the configuration.
    pub(super) fn warn(&self, now: Timestamp, notes: &mut dyn Write) {
        for warning in self.loaded.warnings_at(now) {
            // If stderr is closed, nobody reads the warning.
            let _ = writeln!(notes, "warning: {warning}");
        }
    }
}
