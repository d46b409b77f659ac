//! The results of `check`, printed as lines or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::commands::screen::Screen;
use ga4_exporter_core::names::PropertyId;

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct CheckResult {
    pub(super) check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) property_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) report: Option<String>,
    pub(super) status: Status,
    pub(super) message: String,
    /// The page to open or the command to run; empty if there is nothing to do.
    pub(super) remedy: String,
    /// A shell command that does the same, printed at the end because it is too long for a line.
    #[serde(skip)]
    pub(super) call: Option<String>,
}

/// The status of a check.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Warning,
    Failed,
    Skipped,
}

impl CheckResult {
    pub(super) fn new(check: &'static str, status: Status, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { check, property_id: None, report: None, status, message, remedy: String::new(), call: None }
    }

    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, message)
    }

    pub(super) fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Warning, message)
    }

    pub(super) fn failed(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Failed, message)
    }

    pub(super) fn skipped(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Skipped, message)
    }

    pub(super) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    pub(super) fn property(mut self, id: PropertyId) -> Self {
        self.property_id = Some(id.to_string());
        self
    }

    pub(super) fn report(mut self, name: &str) -> Self {
        self.report = Some(name.to_owned());
        self
    }

    pub(super) fn call(mut self, call: Option<String>) -> Self {
        self.call = call;
        self
    }

    /// Returns the name of what was checked.
    fn subject(&self) -> String {
        let property = self.property_id.as_deref();
        match (self.check, property, self.report.as_deref()) {
            ("report", Some(property), Some(report)) => format!("report {report} of {property}"),
            ("report", None, Some(report)) => format!("report {report}"),
            ("plan", Some(property), _) => format!("plan of {property}"),
            (check, Some(property), _) => format!("{check} {property}"),
            (check, None, _) => check.replace('_', " "),
        }
    }

    fn line(&self, screen: Screen) -> String {
        let (word, style) = match self.status {
            Status::Ok => ("ok", "32"),
            Status::Warning => ("warning", "33"),
            Status::Failed => ("failed", "31"),
            Status::Skipped => ("skipped", "2"),
        };
        let remedy = if self.remedy.is_empty() { String::new() } else { format!("; {}", self.remedy) };
        let (word, message) = (screen.styled(style, &format!("{word:<7}")), self.message.trim_end_matches('.'));
        format!("{word} {}: {message}{remedy}\n", self.subject())
    }
}

/// Formats a count with its noun: `1 row`, `2 rows`.
pub(super) fn counted(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Prints results as they arrive, or all of them at the end as JSON, and counts them.
pub(super) struct Results {
    screen: Screen,
    is_json: bool,
    all: Vec<CheckResult>,
}

#[derive(Serialize)]
struct Object<'a> {
    ok: bool,
    checks: &'a [CheckResult],
}

impl Results {
    pub(super) fn new(screen: Screen, is_json: bool) -> Self {
        Self { screen, is_json, all: Vec::new() }
    }

    /// Adds a result.
    pub(super) fn add(&mut self, mut result: CheckResult, out: &mut dyn Write) -> io::Result<()> {
        if self.is_json {
            if let Some(call) = &result.call {
                result.remedy = format!("{}\n{BEFORE_CALLS}\n{call}\n{AFTER_CALLS}", result.remedy);
            }
        } else {
            out.write_all(result.line(self.screen).as_bytes())?;
            out.flush()?;
        }
        self.all.push(result);
        Ok(())
    }

    /// Prints what follows the last result: long shell commands, and the number of results of each status.
    pub(super) fn end(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.is_json {
            let object = Object { ok: self.is_ok(), checks: &self.all };
            serde_json::to_writer_pretty(&mut *out, &object)?;
            return out.write_all(b"\n");
        }
        let calls: Vec<&str> = self.all.iter().filter_map(|result| result.call.as_deref()).collect();
        if !calls.is_empty() {
            write!(out, "\n{BEFORE_CALLS}\n{}\n{AFTER_CALLS}", calls.join("\n"))?;
        }
        let count = |status| self.all.iter().filter(|result| result.status == status).count();
        let (failed, warnings) = (count(Status::Failed), counted(count(Status::Warning) as u64, "warning"));
        let skipped = count(Status::Skipped);
        let verdict = match (failed, skipped) {
            (0, 0) => "everything works",
            (0, _) => "what was tried works",
            (_, _) => "not everything works",
        };
        let skipped = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
        let text = self.screen.bold(verdict);
        writeln!(out, "\n{text}: {} ok, {warnings}, {failed} failed{skipped}", count(Status::Ok))
    }

    /// Returns whether no check failed; warnings are not failures.
    pub(super) fn is_ok(&self) -> bool {
        self.all.iter().all(|result| result.status != Status::Failed)
    }
}

/// Source: reports of users only; Google has documented none of it.
const BEFORE_CALLS: &str = "\
If Google Analytics refuses the address (\"This email doesn't match a Google Account\",
which new service accounts get since April 2026), the API takes it. As an administrator
of the property get a token with the scope
https://www.googleapis.com/auth/analytics.manage.users, for example at
https://developers.google.com/oauthplayground (not under Advanced Protection), and run
";

const AFTER_CALLS: &str = "\
If that answers 400 too: wait half an hour after the account was made, use a service
account from before April 2026 or the project's default one of Compute Engine, or sign in
as a user. Groups do not help, and nor does unticking \"Notify by email\".
";

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(is_json: bool, colour: bool) -> (String, bool) {
        let mut results = Results::new(Screen { width: None, colour }, is_json);
        let mut out = Vec::new();
        let id = "7".parse().unwrap();
        for result in [
            CheckResult::ok("admin_api", "2 properties are listed"),
            CheckResult::failed("property", "no access")
                .property(id)
                .remedy("add it")
                .call(Some("  curl x\n".to_owned())),
            CheckResult::warning("report", "no rows").property(id).report("traffic"),
            CheckResult::skipped("plan", "unknown").property(id),
        ] {
            results.add(result, &mut out).unwrap();
        }
        results.end(&mut out).unwrap();
        (String::from_utf8(out).unwrap(), results.is_ok())
    }

    #[test]
    fn lines_end_with_what_to_do() {
        let lines = "ok      admin api: 2 properties are listed\n\
                     failed  property 7: no access; add it\n\
                     warning report traffic of 7: no rows\n\
                     skipped plan of 7: unknown\n\n";
        let calls = format!("{BEFORE_CALLS}\n  curl x\n\n{AFTER_CALLS}");
        let verdict = "\nnot everything works: 1 ok, 1 warning, 1 failed, 1 skipped\n";
        assert_eq!(printed(false, false), (format!("{lines}{calls}{verdict}"), false));
        assert!(printed(false, true).0.contains("\u{1b}[31mfailed \u{1b}[0m property 7"));
    }

    #[test]
    fn json_is_one_object() {
        let (text, _) = printed(true, true);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["ok"], false);
        assert!(value["checks"][1]["remedy"].as_str().unwrap().contains("\n  curl x\n"));
        assert_eq!(value["checks"][2]["report"], "traffic");
        assert!(value["checks"][0].get("property_id").is_none() && !text.contains('\u{1b}'));
    }
}
