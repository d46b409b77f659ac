"""Asks a real Prometheus, which has scraped a real exporter's demo, every query of every panel, and prints a table.

Each has to return numbers, but for those in queries-without-data.json, which have to return none and say why.
E2E_EXPORTER names the program.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import answers
import dashboards
import variables
from dashboards import Dashboard, Query, substituted
from servers import Prometheus, Server, WaitedInVain, await_, backfill, demo, prometheus

WITHOUT_DATA = Path(__file__).with_name("queries-without-data.json")

# What Grafana fills in for a chart of a few minutes with a scrape a second.
BUILT_IN = {"__rate_interval": "20s", "__interval": "5s", "__range": "60s"}
RANGE_SECONDS, STEP_SECONDS = 60, 5

Place = tuple[str, str, str]


def reasons() -> dict[Place, str]:
    """Why a query has no data, by its place."""
    entries = json.loads(WITHOUT_DATA.read_text())
    found = {(entry["dashboard"], entry["panel"], entry["query"]): entry["reason"] for entry in entries}
    assert len(found) == len(entries), "an entry of queries-without-data.json is there twice"
    return found


def values_of(dashboard: Dashboard, server: Prometheus) -> dict[str, str]:
    """A value for each variable: everything where that can be chosen, else the current one, else a busy property."""
    values: dict[str, str] = {}
    for variable in dashboard.variables[1:]:
        options = variables.options(variable, server, values)
        if variable["name"] == "property" and variables.PROPERTY_NAME not in options:
            raise LookupError(f"{dashboard.name}: no property is called {variables.PROPERTY_NAME}: {options}")
        if not options:
            raise LookupError(f"{dashboard.name}: the variable {variable['name']} has no values")
        current = variable.get("current", {}).get("value")
        everything = variable.get("allValue")
        values[variable["name"]] = everything or current or busy(server)
    return values


def busy(server: Prometheus) -> str:
    """The property with most traffic of those where it is afternoon, since figures of yesterday are compared only then. The
    demo's zones are such that there is always one."""
    found = server.api("query", query="topk(1, google_analytics_yesterday_expected_pageviews)")["result"]
    if not found:
        raise LookupError("no property has figures of yesterday to compare")
    return found[0]["metric"]["property_id"]


def count(query: Query, values: dict[str, str], server: Prometheus) -> int:
    """How many series with a finite number come back."""
    text = substituted(query.text, {**BUILT_IN, **values})
    now = time.time()
    if query.is_instant:
        result = server.api("query", query=text, time=str(now))["result"]
        samples = [[series["value"]] for series in result]
    else:
        span = {"start": str(now - RANGE_SECONDS), "end": str(now), "step": str(STEP_SECONDS)}
        samples = [series["values"] for series in server.api("query_range", query=text, **span)["result"]]
    return sum(any(math.isfinite(float(value)) for _, value in series) for series in samples)


def measure(every: list[Dashboard], server: Prometheus, known: dict[Place, str]) -> dict[Place, int]:
    """Series by query: asked again until all that should have data have some, or the time is over."""
    queries = [query for one in every for query in one.queries]
    chosen = {one.name: await_("variables", lambda one=one: values_of(one, server)) for one in every}
    counts: dict[Place, int] = {}

    def all_have_data() -> None:
        for query in queries:
            if counts.get(query.place, 0) == 0:
                counts[query.place] = count(query, chosen[query.dashboard], server)
        empty = [place for place, series in counts.items() if series == 0 and place not in known]
        if empty:
            raise LookupError(empty)

    try:
        await_("data", all_have_data)
    except WaitedInVain:
        pass  # The table says which.
    return counts


def complaints(counts: dict[Place, int], known: dict[Place, str]) -> list[str]:
    lines = [
        f"{' / '.join(place)}: no data" for place, series in counts.items() if series == 0 and place not in known
    ]
    for place in known:
        if place not in counts:
            lines.append(f"{' / '.join(place)}: is in queries-without-data.json and in no dashboard")
        elif counts[place] > 0:
            lines.append(f"{' / '.join(place)}: has data; strike it from queries-without-data.json")
        elif place not in {case.place for case in answers.cases()}:
            lines.append(f"{' / '.join(place)}: is tested neither here nor in answers.json")
    return lines


def table(counts: dict[Place, int], known: dict[Place, str]) -> str:
    rows: list[tuple[Any, ...]] = [("dashboard", "panel", "query", "series", "")]
    rows += [(*place, series, known.get(place, "")) for place, series in counts.items()]
    widths = [max(len(str(row[column])) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(str(cell).ljust(width) for cell, width in zip(row, widths)), row[4]]).rstrip() for row in rows
    )


def run(exporter: Server, directory: Path) -> int:
    backfill(exporter, directory)
    known = reasons()
    with prometheus(directory, exporter) as server:
        counts = measure(dashboards.load(), server, known)
    print(table(counts, known))
    lines = complaints(counts, known)
    print("\n".join(lines) or f"{len(counts)} queries: all have data but {len(known)} that cannot")
    return 1 if lines or not counts else 0


def main() -> int:
    program = str(Path(os.environ["E2E_EXPORTER"]).resolve())
    with tempfile.TemporaryDirectory() as name, demo(program, Path(name)) as exporter:
        return run(exporter, Path(name))


if __name__ == "__main__":
    sys.exit(main())
