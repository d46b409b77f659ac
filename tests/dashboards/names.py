"""Every metric that the dashboards name exists.

It is in the golden file of /metrics, or a recording rule, or Prometheus' own.
"""

from __future__ import annotations

import re

from dashboards import ROOT, Dashboard, substituted
from promql import PLACEHOLDERS, Selector, selectors

SNAPSHOTS = ROOT / "tests/it/snapshots"

# All metrics of an exporter without a configuration, and those of presets.
GOLDEN = [
    SNAPSHOTS / "it__scrape__the_whole_of_metrics.snap",
    SNAPSHOTS / "it__own_reports__every_preset_and_three_reports_of_ones_own.snap",
]
RULES = ROOT / "deploy/prometheus/rules"

# What Prometheus adds to each scrape, and what it writes about alerts.
OF_PROMETHEUS = {"up", "scrape_duration_seconds", "scrape_samples_scraped", "ALERTS"}

# Absent in the golden file, since nothing there brings them about.
ONLY_AT_TIMES = {
    "google_analytics_monitor_calibration_ratio": "comes after three hours",
    "google_analytics_quota_closed_until_timestamp_seconds": "only while a bucket is closed",
}


def exported() -> set[str]:
    """The names of samples in the golden files."""
    lines = [line for path in GOLDEN for line in path.read_text().split("---", 2)[2].splitlines()]
    return {re.split(r"[{ ]", line, maxsplit=1)[0] for line in lines if line and not line.startswith("#")}


def recorded() -> set[str]:
    """The names of the recording rules."""
    return {name for path in RULES.glob("*.yml") for name in re.findall(r"- record: (\S+)", path.read_text())}


def known() -> set[str]:
    return exported() | recorded() | OF_PROMETHEUS | set(ONLY_AT_TIMES)


def meant(selector: Selector, names: set[str]) -> set[str]:
    """The metrics that a selector names, also by `__name__=~`; empty when it names none that exists."""
    if selector.name:
        return {selector.name} & names
    _, pattern = selector.matchers.get("__name__", ("", "(?!)"))
    return {name for name in names if re.fullmatch(pattern, name)}


def selectors_of(text: str) -> list[Selector]:
    try:
        return selectors(substituted(text, PLACEHOLDERS))
    except ValueError:
        return []  # aggregation.py says that it is no PromQL.


def unknown_names(dashboards: list[Dashboard]) -> list[str]:
    """A line for each name that does not exist."""
    names = known()
    findings = [
        f"names.py: {name} is in the golden file now: strike it from ONLY_AT_TIMES"
        for name in ONLY_AT_TIMES
        if name in exported()
    ]
    for dashboard in dashboards:
        for query in dashboard.queries:
            for selector in selectors_of(query.text):
                if not meant(selector, names):
                    findings.append(
                        f"{' / '.join(query.place)}: no metric is called {selector.name or selector.node.matchers}"
                    )
    return findings
