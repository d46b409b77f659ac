//! `query` beside Google's own Python client: the same questions to the same simulator, and the same rows in the same order.

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
};

use ga4_simulator::{Account, Property, Simulator, World};
use google_analytics_exporter::clock::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task};

use crate::{exporter::binary, process::Process};

/// A site of some hundred pageviews a minute, one of a million an hour and with custom fields, and one without any traffic.
const SITES: [(&str, f64); 3] = [("81", 20_000.0), ("82", 1_000_000.0), ("83", 0.0)];

/// Google's Python client, which answers line by line.
struct Client {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// One question, for `query` and for the client.
struct Question {
    name: &'static str,
    property: &'static str,
    arguments: Vec<&'static str>,
    request: Value,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python and Google's packages: make test runs it"]
async fn googles_client_gets_the_same_rows() {
    let time = Arc::new(Mutex::new(Clock::system().now()));
    let simulator = simulator(&time).await;
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("key.json"), simulator.key_file_json()).unwrap();
    let mut client = Client::start(&simulator, directory.path());
    for question in questions() {
        // What signs in long after the simulator's time is refused, as by Google. Ours does so for every question, theirs once.
        *time.lock().unwrap() = Clock::system().now();
        let ours = by_query(&simulator, directory.path(), &question).await;
        let theirs = client.ask(&question);
        compare(&question, &ours, &theirs);
    }
    simulator.shutdown().await;
}

#[tokio::test]
async fn whoever_has_read_enough_closes_the_pipe() {
    let simulator = simulator(&Arc::new(Mutex::new(Clock::system().now()))).await;
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("key.json"), simulator.key_file_json()).unwrap();
    for format in ["text", "csv", "json"] {
        let mut query = binary(directory.path());
        query.args(["query", "--from", "28daysAgo", "--dimensions", "date,pagePath,city", "--output", format]);
        query.args(["--google.credentials-file", "key.json", "--google.data-api-url", simulator.base_url()]);
        query.args(["--google.admin-api-url", simulator.base_url()]);
        let mut shell = Command::new("bash");
        shell
            .env_clear()
            .envs(query.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .current_dir(directory.path());
        shell.args(["-c", "set -o pipefail; \"$@\" | head -c 5", "-"]).arg(query.get_program()).args(query.get_args());
        let ended = Process::start(&mut shell).ended().await;
        assert_eq!((ended.code(), ended.stdout.len(), ended.stderr.as_str()), (Some(0), 5, ""), "{format}");
    }
}

/// Its time stands still until it is set, so that nothing changes between two who ask the same question.
async fn simulator(time: &Arc<Mutex<Timestamp>>) -> Simulator {
    let time = Arc::clone(time);
    let mut account = Account::new("8", "Example");
    for (id, pageviews) in SITES {
        let property = Property::new(id, format!("Site {id}")).currency("EUR").pageviews_per_hour(pageviews);
        account = account.property(if id == "82" { property.example_custom_fields() } else { property });
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(listener, World::new(8).account(account).token_cost(1), move || *time.lock().unwrap()).unwrap()
}

async fn by_query(simulator: &Simulator, directory: &Path, question: &Question) -> Value {
    let mut command = binary(directory);
    command.args(["query", "--property", question.property, "--output", "json"]).args(&question.arguments);
    command.args(["--google.credentials-file", "key.json"]);
    command.args(["--google.data-api-url", simulator.base_url(), "--google.admin-api-url", simulator.base_url()]);
    let ended = Process::start(&mut command).ended().await;
    let object: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let failure = object["failures"][0]["message"].as_str();
    match failure {
        Some(message) => json!({"error": message}),
        None => object["results"][0].clone(),
    }
}

impl Client {
    fn start(simulator: &Simulator, directory: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/google_query.py");
        let mut command = Command::new(env::var("E2E_PYTHON").unwrap_or_else(|_| "python3".to_owned()));
        command.arg(script).arg(simulator.base_url()).arg(directory.join("key.json"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (questions, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, questions, answers }
    }

    /// Blocks until there is an answer; the simulator has other threads.
    fn ask(&mut self, question: &Question) -> Value {
        let asked = json!({"property": question.property, "request": question.request});
        let mut answer = String::new();
        task::block_in_place(|| {
            writeln!(self.questions, "{asked}").unwrap();
            self.answers.read_line(&mut answer).unwrap();
        });
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{}: {error}: {answer:.200}", question.name))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn compare(question: &Question, ours: &Value, theirs: &Value) {
    let name = question.name;
    if let Some(error) = theirs["error"].as_str() {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let said = ours["error"].as_str().unwrap_or_else(|| panic!("{name}: ours is no error, theirs is {error}"));
        let text = said.strip_prefix("Google refuses the request: ").unwrap_or(said);
        assert!(words(error).contains(&words(text)), "{name}: {said} and {error}");
        return;
    }
    assert_eq!(ours["row_count"], theirs["row_count"], "{name}: {}", ours["error"]);
    let (ours, theirs) = (ours["rows"].as_array().unwrap(), theirs["rows"].as_array().unwrap());
    assert_eq!(ours.len(), theirs.len(), "{name}");
    for (index, (our, their)) in ours.iter().zip(theirs).enumerate() {
        assert_eq!(our["dimensions"], their["dimensions"], "{name}, row {index}");
        let numbers = |row: &Value| row["metrics"].as_array().unwrap().iter().map(Value::as_f64).collect::<Vec<_>>();
        assert_eq!(numbers(our), numbers(their), "{name}, row {index}");
    }
    println!("{name}: {} rows are the same", ours.len());
}

#[expect(clippy::too_many_lines, reason = "a list of questions")]
fn questions() -> Vec<Question> {
    let of = |property, name, arguments: &[&'static str], request| Question {
        name,
        property,
        arguments: arguments.to_vec(),
        request,
    };
    let names = |names: &[&str]| names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>();
    let range = |from: &str, to: &str| json!([{"startDate": from, "endDate": to}]);
    let down = |metric: &str| json!({"metric": {"metricName": metric}, "desc": true});
    let up = |dimension: &str| json!({"dimension": {"dimensionName": dimension}});
    let text = |field: &str, how: &str, value: &str| json!({"filter": {"fieldName": field, "stringFilter": {"matchType": how, "value": value, "caseSensitive": true}}});
    let week = range("7daysAgo", "yesterday");
    vec![
        of(
            "81",
            "totals",
            &["--from", "7daysAgo"],
            json!({"metrics": names(&["screenPageViews", "totalUsers"]), "dateRanges": week}),
        ),
        of(
            "81",
            "by day",
            &["--from", "28daysAgo", "--to", "today", "--dimensions", "date", "--order-by", "date"],
            json!({"metrics": names(&["screenPageViews", "totalUsers"]), "dimensions": names(&["date"]),
                "dateRanges": range("28daysAgo", "today"), "orderBys": [up("date")]}),
        ),
        of(
            "81",
            "top pages of a part of the site",
            &[
                "--from",
                "7daysAgo",
                "--dimensions",
                "pagePath",
                "--metrics",
                "pageviews",
                "--filter",
                "pagePath begins_with /products",
            ],
            json!({"metrics": names(&["screenPageViews"]), "dimensions": names(&["pagePath"]), "dateRanges": week,
                "dimensionFilter": text("pagePath", "BEGINS_WITH", "/products"), "orderBys": [down("screenPageViews"), up("pagePath")]}),
        ),
        of(
            "81",
            "ratios by two dimensions",
            &[
                "--from",
                "7daysAgo",
                "--dimensions",
                "country,deviceCategory",
                "--metrics",
                "sessions,bounceRate,averageSessionDuration",
                "--order-by",
                "-sessions",
            ],
            json!({"metrics": names(&["sessions", "bounceRate", "averageSessionDuration"]),
                "dimensions": names(&["country", "deviceCategory"]), "dateRanges": week,
                "orderBys": [down("sessions"), up("country"), up("deviceCategory")]}),
        ),
        of(
            "81",
            "a filter on a metric",
            &["--dimensions", "pagePath,country", "--metrics", "pageviews,events", "--filter", "pageviews >= 500"],
            json!({"metrics": names(&["screenPageViews", "eventCount"]), "dimensions": names(&["pagePath", "country"]),
                "dateRanges": range("yesterday", "yesterday"),
                "metricFilter": {"filter": {"fieldName": "screenPageViews",
                    "numericFilter": {"operation": "GREATER_THAN_OR_EQUAL", "value": {"int64Value": "500"}}}},
                "orderBys": [down("screenPageViews"), up("pagePath"), up("country")]}),
        ),
        of(
            "81",
            "two filters, one of them negative",
            &[
                "--from",
                "3daysAgo",
                "--dimensions",
                "deviceCategory,browser",
                "--metrics",
                "events",
                "--filter",
                "deviceCategory not in mobile,tablet",
                "--filter",
                "browser regex ^(Chrome|Firefox)$",
            ],
            json!({"metrics": names(&["eventCount"]), "dimensions": names(&["deviceCategory", "browser"]),
                "dateRanges": range("3daysAgo", "yesterday"),
                "dimensionFilter": {"andGroup": {"expressions": [
                    {"notExpression": {"filter": {"fieldName": "deviceCategory",
                        "inListFilter": {"values": ["mobile", "tablet"], "caseSensitive": true}}}},
                    text("browser", "PARTIAL_REGEXP", "^(Chrome|Firefox)$")]}},
                "orderBys": [down("eventCount"), up("deviceCategory"), up("browser")]}),
        ),
        of(
            "81",
            "office hours",
            &[
                "--dimensions",
                "hour",
                "--metrics",
                "active_users",
                "--filter",
                "hour between 9,17",
                "--order-by",
                "hour",
            ],
            json!({"metrics": names(&["activeUsers"]), "dimensions": names(&["hour"]), "dateRanges": range("yesterday", "yesterday"),
                "dimensionFilter": {"filter": {"fieldName": "hour",
                    "betweenFilter": {"fromValue": {"int64Value": "9"}, "toValue": {"int64Value": "17"}}}},
                "orderBys": [up("hour")]}),
        ),
        of(
            "81",
            "the least of them, cut",
            &[
                "--dimensions",
                "city",
                "--metrics",
                "newUsers,screenPageViews",
                "--order-by",
                "newUsers,-city",
                "--limit",
                "7",
            ],
            json!({"metrics": names(&["newUsers", "screenPageViews"]), "dimensions": names(&["city"]),
                "dateRanges": range("yesterday", "yesterday"), "limit": "7",
                "orderBys": [{"metric": {"metricName": "newUsers"}}, {"dimension": {"dimensionName": "city"}, "desc": true}]}),
        ),
        of(
            "82",
            "300,000 rows in two pages",
            &[
                "--from",
                "5daysAgo",
                "--dimensions",
                "dateHourMinute,pagePath,city,browser,sessionSource",
                "--metrics",
                "pageviews",
                "--limit",
                "300000",
            ],
            json!({"metrics": names(&["screenPageViews"]), "limit": "300000",
                "dimensions": names(&["dateHourMinute", "pagePath", "city", "browser", "sessionSource"]),
                "dateRanges": range("5daysAgo", "yesterday"),
                "orderBys": [down("screenPageViews"), up("dateHourMinute"), up("pagePath"), up("city"), up("browser"),
                    up("sessionSource")]}),
        ),
        of(
            "83",
            "zero rows",
            &["--from", "7daysAgo", "--dimensions", "country"],
            json!({"metrics": names(&["screenPageViews", "totalUsers"]), "dimensions": names(&["country"]), "dateRanges": week,
                "orderBys": [down("screenPageViews"), up("country")]}),
        ),
        of(
            "82",
            "custom fields of the property",
            &["--dimensions", "customEvent:plan", "--metrics", "screenPageViews,customEvent:score"],
            json!({"metrics": names(&["screenPageViews", "customEvent:score"]), "dimensions": names(&["customEvent:plan"]),
                "dateRanges": range("yesterday", "yesterday"), "orderBys": [down("screenPageViews"), up("customEvent:plan")]}),
        ),
        of(
            "81",
            "a custom field that the property does not have",
            &["--dimensions", "customEvent:plan"],
            json!({"metrics": names(&["screenPageViews", "totalUsers"]), "dimensions": names(&["customEvent:plan"]),
                "dateRanges": range("yesterday", "yesterday")}),
        ),
    ]
}
