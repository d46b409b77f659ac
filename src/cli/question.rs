//! The flags of the commands that query Google once and exit.

use std::{num::NonZeroU64, path::PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::Shell;
use ga4_exporter_core::{names::PropertyId, query::Asked};

use super::{AccessFlags, path};

/// Flags on where a command learns what to ask, and whom.
#[derive(Args, Clone, Debug)]
pub struct SetupFlags {
    /// YAML configuration file: its credentials, properties, reports and quota apply to this command too.
    #[arg(long = "config.file", value_name = "FILE", value_parser = path())]
    pub config_file: Option<PathBuf>,
    /// Flags for access to Google.
    #[command(flatten)]
    pub access: AccessFlags,
}

/// The flags of `query`.
#[derive(Args, Clone, Debug)]
pub struct QueryFlags {
    /// Property to ask about; may be repeated. Without it every property that is configured or visible.
    #[arg(long, value_name = "ID")]
    pub property: Vec<PropertyId>,
    /// First day: 2026-01-31, today, yesterday or 7daysAgo, in the property's time zone. Alone it ends yesterday; without it
    /// yesterday is meant.
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Last day, in the same forms.
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,
    /// What to count, by our names or Google's: pageviews, screenPageViews, keyEvents:purchase. Without it pageviews and visitors.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub metrics: Vec<String>,
    /// What to split by, by our names or Google's: date, page_path, customEvent:plan.
    #[arg(long, value_name = "C,D", value_delimiter = ',')]
    pub dimensions: Vec<String>,
    /// Ask what this report of the configuration or preset asks, such as traffic or pages.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["metrics", "dimensions", "order_by", "realtime"])]
    pub report: Option<String>,
    /// Only rows like this: `FIELD OP VALUE`, such as 'pagePath begins_with /shop' or 'pageviews >= 100'. The words are those of the
    /// configuration, or == != > >= < <=, after `not` if wanted. May be repeated: all have to hold.
    #[arg(long, value_name = "EXPR")]
    pub filter: Vec<String>,
    /// Column to order by; with a hyphen before it in descending order. Without it the first metric, the greatest first.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', allow_hyphen_values = true)]
    pub order_by: Vec<String>,
    /// How many rows at most, of each property.
    #[arg(long, value_name = "NUMBER", value_parser = at_least_one, allow_negative_numbers = true)]
    pub limit: Option<NonZeroU64>,
    /// Ask about the last 30 minutes instead of days.
    #[arg(long)]
    pub realtime: bool,
    /// How to print the answer.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: QueryOutput,
    /// Flags on where it learns what to ask, and whom.
    #[command(flatten)]
    pub setup: SetupFlags,
}

/// How an answer is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum QueryOutput {
    /// Lines, and tables with dimensions.
    Text,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// One object.
    Json,
}

impl QueryFlags {
    /// Returns the question that the flags describe.
    pub fn asked(&self) -> Asked {
        Asked {
            metrics: self.metrics.clone(),
            dimensions: self.dimensions.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            filters: self.filter.clone(),
            order: self.order_by.clone(),
            limit: self.limit,
            realtime: self.realtime,
        }
    }
}

/// The flags of `properties`.
#[derive(Args, Clone, Debug)]
pub struct PropertiesFlags {
    /// How to print them.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub output: PropertiesOutput,
    /// Flags on where it learns what to ask, and whom.
    #[command(flatten)]
    pub setup: SetupFlags,
}

/// How properties are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum PropertiesOutput {
    /// A line each.
    Table,
    /// As the configuration has them.
    Yaml,
    /// One object.
    Json,
}

/// The flags of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckFlags {
    /// Property to check; may be repeated. Without it every property that is configured or visible.
    #[arg(long, value_name = "ID")]
    pub property: Vec<PropertyId>,
    /// How to print what was found.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: CheckOutput,
    /// Flags on where it learns what to check.
    #[command(flatten)]
    pub setup: SetupFlags,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum CheckOutput {
    /// A line each.
    Text,
    /// One object.
    Json,
}

/// The flags of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsFlags {
    /// For which shell.
    pub shell: Shell,
}

/// Reads a number of rows.
fn at_least_one(text: &str) -> Result<NonZeroU64, String> {
    text.parse().map_err(|_| "it is a number from 1 up".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::cli::{Cli, Command};

    #[test]
    fn lists_may_be_joined_or_repeated() {
        let arguments =
            ["x", "query", "--metrics", "a,b", "--metrics", "c", "--order-by", "-a,b", "--filter", "a == 1,2"];
        let Some(Command::Query(flags)) = Cli::try_parse_from(arguments).unwrap().command else { panic!("not query") };
        assert_eq!(
            (flags.metrics.len(), &*flags.order_by, &*flags.filter),
            (3, &["-a".to_owned(), "b".to_owned()][..], &["a == 1,2".to_owned()][..])
        );
    }

    #[test]
    fn wrong_values_are_refused_with_what_is_right() {
        for (arguments, expected) in [
            (&["query", "--property", "G-1"][..], "Admin > Property"),
            (&["query", "--limit", "0"], "it is a number from 1 up"),
            (&["query", "--limit", "-5"], "it is a number from 1 up"),
            (&["query", "--limit", "many"], "it is a number from 1 up"),
            (&["query", "--output", "xml"], "possible values: text, csv, json"),
            (&["query", "--report", "traffic", "--metrics", "a"], "cannot be used with"),
            (&["check", "--output", "yaml"], "possible values: text, json"),
            (&["properties", "--output", "csv"], "possible values: table, yaml, json"),
            (&["completions", "cmd"], "possible values: bash"),
            (&["completions"], "<SHELL>"),
        ] {
            let arguments = [&["x"], arguments].concat();
            let message = Cli::try_parse_from(&arguments).unwrap_err().to_string();
            assert!(message.contains(expected), "{arguments:?}: {message}");
        }
    }
}
