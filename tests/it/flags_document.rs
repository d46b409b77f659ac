//! `docs/FLAGS.md` has every flag of every command, as `--help` shows it.

use std::{collections::BTreeSet, fmt::Write as _};

use clap::{Arg, Command, CommandFactory};
use google_analytics_exporter::cli::Cli;

use crate::documents::assert_table;

#[test]
fn every_flag_is_documented() {
    let serving = Cli::command();
    let shared: BTreeSet<String> = serving.get_arguments().map(row).collect();
    assert_table("FLAGS.md", "Serving", &table(&serving, &BTreeSet::new()));
    let commands: Vec<&Command> =
        serving.get_subcommands().filter(|command| command.get_arguments().next().is_some()).collect();
    assert!(commands.len() >= 3, "the commands are read");
    for command in commands {
        assert_table("FLAGS.md", &format!("The command `{}`", command.get_name()), &table(command, &shared));
    }
}

/// The flags of a command; of those that serving has too, with the same meaning, the names alone.
fn table(command: &Command, shared: &BTreeSet<String>) -> String {
    let mut table = "| flag | default | meaning |\n|---|---|---|\n".to_owned();
    let (known, own): (Vec<&Arg>, Vec<&Arg>) = command.get_arguments().partition(|flag| shared.contains(&row(flag)));
    table.extend(own.into_iter().map(row));
    if !known.is_empty() {
        let names: Vec<String> = known.into_iter().map(|flag| format!("`{}`", name(flag))).collect();
        let _ = writeln!(table, "| {} | | as for serving |", names.join(", "));
    }
    table
}

fn row(flag: &Arg) -> String {
    let values = flag.get_value_names().unwrap_or_default();
    let takes_values = flag.get_action().takes_values();
    let separator = if flag.is_positional() { "" } else { " " };
    let value =
        if takes_values { values.iter().map(|name| format!("{separator}{name}")).collect() } else { String::new() };
    let defaults = flag.get_default_values().iter().filter_map(|value| value.to_str());
    let defaults: Vec<String> =
        defaults.filter(|value| takes_values && !value.is_empty()).map(|value| format!("`{value}`")).collect();
    let help = flag.get_long_help().or_else(|| flag.get_help()).expect("every flag has a help text").to_string();
    format!("| `{}{value}` | {} | {} |\n", name(flag), defaults.join(", "), help.replace('\n', " "))
}

/// A flag with its hyphens; an argument without a flag by its value, which follows.
fn name(flag: &Arg) -> String {
    flag.get_long().map(|long| format!("--{long}")).unwrap_or_default()
}
