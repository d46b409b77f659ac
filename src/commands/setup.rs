//! What a command takes from its flags and the configuration.

use std::path::PathBuf;

use super::Error;
use crate::{
    cli::{AccessFlags, SetupFlags},
    config::Loaded,
    files::Aside,
    reload::Source,
};

/// The configuration, and how Google is reached.
pub(super) struct Setup {
    pub(super) loaded: Loaded,
    pub(super) access: AccessFlags,
    /// The credential file that is named, on the command line or in the configuration.
    pub(super) credentials_file: Option<PathBuf>,
}

impl Setup {
    /// Reads the configuration. Properties of the command line are the command's own matter: the file may list others.
    ///
    /// # Errors
    /// Everything that is wrong in the file.
    pub(super) async fn load(flags: &SetupFlags) -> Result<Self, Error> {
        let source = Source {
            file: flags.config_file.clone(),
            properties: Vec::new(),
            credentials_file: flags.access.credentials_file.clone(),
        };
        let loaded = source.load_aside(&Aside::start("configuration")).await?;
        let credentials_file = source.credentials_file(&loaded.config);
        Ok(Self { loaded, access: flags.access.clone(), credentials_file })
    }
}
