//! `completions` and `man`: generate shell completions and the manual page from the definition of the command line.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, bold, roman},
};

use super::{CommandError, print};
use crate::cli::Cli;

/// Prints the completions for a shell.
///
/// # Errors
/// The completions cannot be written.
pub fn completions(shell: Shell, out: &mut dyn Write) -> Result<(), CommandError> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut text);
    print(&text, out)
}

/// Prints the manual page.
///
/// # Errors
/// The page cannot be written.
pub fn page(out: &mut dyn Write) -> Result<(), CommandError> {
    let mut text = Vec::new();
    write(&mut text).map_err(CommandError::Output)?;
    print(&text, out)
}

/// Writes the page: the sections of the program, one for each command, and sections that no flag describes.
fn write(text: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let man = Man::new(command.clone());
    text.write_all(HEAD.as_bytes())?;
    section(text, |section| man.render_name_section(section))?;
    text.write_all(SYNOPSIS.as_bytes())?;
    section(text, |section| man.render_description_section(section))?;
    writeln!(text, ".SH OPTIONS")?;
    options(&man, text)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        let name = subcommand.get_name();
        let about = subcommand.get_long_about().or_else(|| subcommand.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        let mut roff = Roff::new();
        roff.control("SH", [format!("COMMAND {}", name.to_uppercase()).as_str()]);
        roff.text([bold(format!("{NAME} {name}")), roman(" [options]")]);
        roff.control("PP", []);
        roff.text([roman(about)]);
        section(text, |section| roff.to_writer(section))?;
        options(&Man::new(subcommand.clone()), text)?;
    }
    text.write_all(REST.as_bytes())
}

/// Writes a part of the page without the definitions that precede each part.
fn section(text: &mut Vec<u8>, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut part = Vec::new();
    render(&mut part)?;
    let part = String::from_utf8(part).map_err(io::Error::other)?;
    for line in part.lines().filter(|line| !line.starts_with(".ie ") && !line.starts_with(".el ")) {
        writeln!(text, "{line}")?;
    }
    Ok(())
}

/// Writes the flags of a command without the heading of their section.
fn options(man: &Man, text: &mut Vec<u8>) -> io::Result<()> {
    let mut options = Vec::new();
    section(&mut options, |section| man.render_options_section(section))?;
    let options = String::from_utf8(options).map_err(io::Error::other)?;
    text.write_all(options.strip_prefix(".SH OPTIONS\n").unwrap_or(&options).as_bytes())
}

const NAME: &str = "google_analytics_exporter";

/// The title, and the definitions that clap's text needs.
const HEAD: &str = "\
.ie \\n(.g .ds Aq \\(aq
.el .ds Aq '
.TH GOOGLE_ANALYTICS_EXPORTER 1 \"\" \"\" \"User Commands\"
";

const SYNOPSIS: &str = "\
.SH SYNOPSIS
.B google_analytics_exporter
[\\fIoptions\\fR]
.br
.B google_analytics_exporter
\\fIcommand\\fR [\\fIoptions\\fR]
";

const REST: &str = include_str!("manual/rest.1");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_and_flag_is_in_the_page() {
        let mut page = Vec::new();
        super::page(&mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        for text in [
            ".SH NAME",
            ".SH \"COMMAND QUERY\"",
            "\\-\\-order\\-by",
            "\\-\\-config.file",
            ".SH FILES",
            ".SH \"EXIT STATUS\"",
        ] {
            assert!(page.contains(text), "{text} is missing:\n{page}");
        }
    }

    #[test]
    fn every_shell_has_completions() {
        for shell in [Shell::Bash, Shell::Elvish, Shell::Fish, Shell::PowerShell, Shell::Zsh] {
            let mut text = Vec::new();
            completions(shell, &mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains("order-by") && text.contains("properties"), "{shell}");
        }
    }
}
