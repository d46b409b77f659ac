//! `--config.check`: says offline whether the configuration can be used.

use std::io::{self, Write};

use super::Error;
use crate::{auth::key_file::KeyFile, cli::ServeFlags, plan::Plan, properties::Properties, reload::Source};

/// Prints warnings and what would be polled.
///
/// # Errors
/// Everything that is wrong in the configuration.
pub fn run(flags: &ServeFlags) -> Result<(), Error> {
    let source = Source {
        file: flags.config_file.clone(),
        properties: flags.google.properties.clone(),
        credentials_file: flags.google.credentials_file.clone(),
    };
    let loaded = source.load()?;
    let mut text = String::new();
    for warning in &loaded.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    // The machine that checks need not be the one that holds the key.
    if let Some(path) = source.credentials_file(&loaded.config)
        && let Err(error) = KeyFile::read(&path)
    {
        text.push_str(&format!("warning: {error}\n"));
    }
    let file = flags
        .config_file
        .as_ref()
        .map_or_else(|| "no configuration file".to_owned(), |file| file.display().to_string());
    text.push_str(&format!("{file}: good\n"));
    let properties = Properties::new(&loaded.config).set();
    let plan = Plan::new(&loaded.config, properties, true);
    text.push_str(&describe(&plan, loaded.config.discovery.is_some()));
    // Whoever closed the pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn describe(plan: &Plan, discovers: bool) -> String {
    let mut text = format!("properties: {} configured", plan.properties.active.len());
    text.push_str(if discovers { ", others discovered\n" } else { ", discovery off\n" });
    for report in &plan.reports {
        text.push_str(&format!(
            "report {}: every {}, values hold for {}, {} metrics\n",
            report.name,
            humantime::format_duration(report.interval),
            humantime::format_duration(report.stale_after),
            report.families.len()
        ));
    }
    text
}
