"""Makes mistakes in copies of the dashboards, one at a time, and sees that lint.py finds each."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any

import dashboards
import lint
from dashboards import Dashboard

Json = dict[str, Any]


def first(content: Json, kind: str) -> Json:
    return next(panel for panel in content["panels"] if panel["type"] == kind)


def variable(content: Json, name: str) -> Json:
    return next(one for one in content["templating"]["list"] if one["name"] == name)


def put(place: Callable[[Json], Json], key: str, value: Any) -> Callable[[Json], None]:
    def change(content: Json) -> None:
        place(content)[key] = value

    return change


def query(text: str) -> Callable[[Json], None]:
    return put(lambda content: first(content, "stat")["targets"][0], "expr", text)


def defaults(kind: str) -> Callable[[Json], Json]:
    return lambda content: first(content, kind)["fieldConfig"]["defaults"]


def last(content: Json) -> Json:
    return content["panels"][-1]


def itself(content: Json) -> Json:
    return content


PROPERTY = 'property_id=~"$property"'

# File, mistake, and what is said of it.
MISTAKES: list[tuple[str, Callable[[Json], None], str]] = [
    ("overview", put(itself, "uid", "google-analytics-property"), "the same uid"),
    ("overview", put(itself, "editable", True), "is editable"),
    ("overview", put(itself, "__inputs", []), "an id or inputs"),
    ("overview", put(last, "id", 1), "the same id"),
    ("overview", put(last, "title", "Alerts"), "the same title"),
    ("overview", put(last, "title", ""), "has no title"),
    ("overview", put(last, "description", "Short"), "full stop"),
    ("overview", put(last, "type", "piechart"), "piechart is not among"),
    ("overview", put(last, "targets", []), "asks for nothing"),
    ("overview", put(lambda content: last(content)["gridPos"], "x", 11), "overlaps"),
    ("overview", put(lambda content: last(content)["gridPos"], "x", 13), "not inside the grid"),
    ("overview", put(lambda content: last(content)["gridPos"], "y", 90), "a hole above"),
    ("overview", lambda content: content["panels"].reverse(), "that of reading"),
    ("overview", put(defaults("stat"), "unit", ""), "has no unit"),
    (
        "overview",
        put(defaults("stat"), "thresholds", {"steps": [{"color": "text", "value": 1}]}),
        "do not begin with null",
    ),
    ("overview", put(defaults("stat"), "color", {"mode": "palette-classic"}), "palette-classic"),
    ("overview", put(defaults("stat"), "color", {"mode": "fixed", "fixedColor": "red"}), "red is not among"),
    (
        "overview",
        put(lambda content: first(content, "timeseries")["targets"][0], "legendFormat", "__auto"),
        "the whole series",
    ),
    (
        "overview",
        put(lambda content: first(content, "timeseries")["targets"][0], "legendFormat", "Then"),
        "which no legend is",
    ),
    (
        "overview",
        put(lambda content: first(content, "table")["options"]["sortBy"][0], "displayName", "Gone"),
        "no heading",
    ),
    ("overview", put(lambda content: first(content, "table")["targets"][0], "refId", "Z"), "neither a column"),
    (
        "overview",
        put(lambda content: first(content, "stat"), "datasource", {"type": "prometheus", "uid": "abc"}),
        "is not the variable",
    ),
    (
        "overview",
        put(lambda content: variable(content, "datasource"), "current", {"text": "a", "value": "b"}),
        "chosen already",
    ),
    ("overview", put(lambda content: variable(content, "property"), "refresh", 1), "does not follow the time range"),
    ("overview", put(lambda content: content["links"][0], "url", "/d/nowhere?x"), "no dashboard has the uid"),
    ("overview", put(lambda content: content["links"][0], "keepTime", False), "keeps the time range"),
    (
        "overview",
        put(lambda content: content["links"][2], "url", "https://example.com"),
        "neither a dashboard nor the runbook",
    ),
    (
        "overview",
        put(lambda content: last(content)["links"][0], "url", "${documentation}RUNBOOK.md#gone"),
        "has no heading #gone",
    ),
    ("overview", query("sum(max by (property_id) ("), "is no PromQL"),
    (
        "overview",
        query(f"sum(max by (property_id) (google_analytics_realtime_views{{{PROPERTY}}}))"),
        "no metric is called",
    ),
    (
        "overview",
        query("sum(max by (property_id) (google_analytics_realtime_pageviews))"),
        "is not chosen by property_id",
    ),
    (
        "overview",
        query(f"sum(max by (property_id) (google_analytics_realtime_pageviews{{{PROPERTY}}}))"),
        "these repeat what others count",
    ),
    (
        "overview",
        query(f"sum(google_analytics_realtime_pageviews{{{PROPERTY}}})"),
        "take the largest of each property",
    ),
    ("overview", query(f"google_analytics_realtime_pageviews{{{PROPERTY}}}"), "not brought to one series"),
    (
        "overview",
        query(f"sum(max by (property_id) (google_analytics_today_visitors{{{PROPERTY}}}))"),
        "which are not summed",
    ),
    ("overview", query(f"max(google_analytics_quota_tokens_spent_total{{{PROPERTY}}})"), "is a counter"),
    ("overview", query(f"max(rate(google_analytics_quota_tokens_spent_total{{{PROPERTY}}}[5m]))"), "rate over [5m]"),
    ("overview", query('max(up{property_id="$other"})'), "$other is not a variable"),
    ("exporter", query("max(process_threads)"), "is not chosen by job"),
    ("exporter", query('max(process_threads{job=~"$job",instance=~"$instance"})'), "is that of every target"),
]


def main() -> int:
    unseen = []
    for name, mistake, expected in MISTAKES:
        every = [Dashboard(one.name, copy.deepcopy(one.content)) for one in dashboards.load()]
        mistake(next(one.content for one in every if one.name == name))
        found = lint.findings(every)
        if not any(expected in line for line in found):
            unseen.append(f"{name}: nothing says {expected!r}; said is {found}")
    print("\n".join(unseen) or f"{len(MISTAKES)} mistakes are found")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
