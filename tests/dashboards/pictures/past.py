#!/usr/bin/env python3
"""Writes what the exporter would have said before it was started, as OpenMetrics for `promtool tsdb create-blocks-from`.

usage: past.py SIMULATOR_URL EXPORTER INSTANCE UNTIL

The figures are the simulator's own traffic of those days, asked for minute by minute as Google's Data API is asked, and
put together as the exporter does: the last 30 minutes, windows, what is counted since the property's midnight every
quarter of an hour. What is usual, and its bound, is what `EXPORTER baseline` says of the simulator's hours; an exporter
that has just been started takes three tenths of that bound, for its first three hours. Distinct people are not among the
figures, since they cannot be told from minutes. UNTIL is the Unix time at which the real scrapes begin.
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from zoneinfo import ZoneInfo

from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

ROOT = Path(__file__).resolve().parents[3]

# The key of the demo, public and good for nothing else, and its id.
KEY = ROOT / "crates/ga4-simulator/src/demo_key.pem"
KEY_ID = "de300000000000000000000000000000000000de"
SCOPES = ["https://www.googleapis.com/auth/analytics.readonly"]

# Those of the demo that have traffic and can be read, with their zones.
ZONES = {
    "313110001": "Europe/Berlin",
    "313110002": "America/New_York",
    "313110003": "Asia/Tokyo",
    "313110004": "Europe/London",
    "313110005": "Asia/Kolkata",
    "313110006": "Australia/Sydney",
}

# What can be added up minute by minute, by Google's names.
ADDITIVE = {
    "screenPageViews": "pageviews",
    "sessions": "sessions",
    "engagedSessions": "engaged_sessions",
    "eventCount": "events",
    "keyEvents": "key_events",
}
REALTIME = ("pageviews", "events", "key_events")
WINDOWS = {"10m": 10, "30m": 30}
DAY, HOUR, QUARTER = 86400, 3600, 900

# Hours before and after the moment of the pictures, as it was some days ago and, before, today.
BEFORE, AFTER = 7 * HOUR, 2 * HOUR
BACK = (7 * DAY, DAY, 0)


class Simulator:
    """The Data API of the simulator, signed in as the demo does."""

    def __init__(self, url: str) -> None:
        key = {
            "type": "service_account",
            "client_email": "exporter@ga-simulator.iam.gserviceaccount.com",
            "private_key_id": KEY_ID,
            "private_key": KEY.read_text().partition("-----BEGIN")[2].join(("-----BEGIN", "")),
            "token_uri": f"{url}/token",
        }
        credentials = service_account.Credentials.from_service_account_info(key, scopes=SCOPES)
        self._url = url
        self._session = AuthorizedSession(credentials)

    def rows(
        self, property_id: str, dimension: str, metrics: list[str], dates: tuple[str, str]
    ) -> Iterator[list[str]]:
        """The value of the dimension, then those of the metrics."""
        body = {
            "dimensions": [{"name": dimension}],
            "metrics": [{"name": name} for name in metrics],
            "dateRanges": [{"startDate": dates[0], "endDate": dates[1]}],
            "limit": "100000",
        }
        answer = self._session.post(f"{self._url}/v1beta/properties/{property_id}:runReport", json=body, timeout=60)
        answer.raise_for_status()
        for row in answer.json().get("rows", []):
            yield [cell["value"] for cell in row["dimensionValues"] + row["metricValues"]]

    def names(self) -> dict[str, str]:
        """Of all properties, by their ids."""
        answer = self._session.get(f"{self._url}/v1beta/accountSummaries", timeout=60)
        answer.raise_for_status()
        accounts = answer.json()["accountSummaries"]
        listed = [one for account in accounts for one in account["propertySummaries"]]
        return {one["property"].removeprefix("properties/"): one["displayName"] for one in listed}


class Minutes:
    """What a property counted, by minute, and how much that was up to any of them."""

    def __init__(self, simulator: Simulator, property_id: str) -> None:
        zone = ZoneInfo(ZONES[property_id])
        rows = simulator.rows(property_id, "dateHourMinute", list(ADDITIVE), ("9daysAgo", "today"))
        counted = sorted(
            (int(datetime.strptime(row[0], "%Y%m%d%H%M").replace(tzinfo=zone).timestamp()), row[1:]) for row in rows
        )
        self.zone = zone
        self._starts = [start for start, _ in counted]
        self._sums = {
            name: [0.0, *accumulate(float(values[column]) for _, values in counted)]
            for column, name in enumerate(ADDITIVE.values())
        }

    def between(self, name: str, begin: int, end: int) -> float:
        """From the minute that starts at `begin` to the one that ends at `end`."""
        upto = [bisect_right(self._starts, moment - 1) for moment in (begin, end)]
        return self._sums[name][upto[1]] - self._sums[name][upto[0]]


def usual(exporter: str, hours: Path, zone: ZoneInfo, window: str, begin: int) -> dict[int, tuple[float, float]]:
    """Expected pageviews of the window and their bound by minute, for 24 hours."""
    at = datetime.fromtimestamp(begin, zone).strftime("%Y-%m-%dT%H:%M")
    command = [exporter, "baseline", f"--history={hours}", f"--at={at}", f"--window={window}", "--step=1m"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = csv.DictReader(done.stdout.splitlines())
    return {
        int(datetime.fromisoformat(line["time"]).replace(tzinfo=zone).timestamp()): (
            float(line["expected"]),
            float(line["expected_low"]),
        )
        for line in lines
    }


def samples(
    minutes: Minutes, expected: dict[str, dict[int, tuple[float, float]]], moment: int
) -> Iterator[tuple[str, str, float]]:
    """Family, further labels and value of everything at one moment."""
    for name in REALTIME:
        yield f"realtime_{name}", "", minutes.between(name, moment - 30 * 60, moment)
    for window, length in WINDOWS.items():
        labels = f',monitor="pageviews",window="{window}"'
        yield "monitor_events", labels, minutes.between("pageviews", moment - length * 60, moment)
        if moment in expected[window]:
            middle, low = expected[window][moment]
            yield "monitor_expected_events", labels, middle
            yield "monitor_expected_low_events", labels, low
    polled = moment - moment % QUARTER
    midnight = datetime.fromtimestamp(polled, minutes.zone).replace(hour=0, minute=0)
    for name in ADDITIVE.values():
        yield f"today_{name}", "", minutes.between(name, int(midnight.timestamp()), polled)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def main() -> None:
    url, exporter, instance, until = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]) // 60 * 60
    simulator = Simulator(url)
    names = simulator.names()
    for property_id in ZONES:
        minutes = Minutes(simulator, property_id)
        target = f'job="google_analytics",instance="{instance}",property_id="{property_id}"'
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as hours:
            hours.write("local_time,pageviews\n")
            for hour, pageviews in simulator.rows(
                property_id, "dateHour", ["screenPageViews"], ("60daysAgo", "yesterday")
            ):
                hours.write(f"{datetime.strptime(hour, '%Y%m%d%H').isoformat(timespec='minutes')},{pageviews}\n")
            hours.flush()
            expected = {
                name: usual(exporter, Path(hours.name), minutes.zone, name, until - BEFORE) for name in WINDOWS
            }
        for back in BACK:
            end = until - back + (AFTER if back else 0)
            for moment in range(until - back - BEFORE, end, 60):
                print(
                    f"google_analytics_property_info{{{target},property_name={quoted(names[property_id])}}} 1 {moment}"
                )
                for family, labels, value in samples(minutes, expected, moment):
                    print(f"google_analytics_{family}{{{target}{labels}}} {value} {moment}")
    print("# EOF")


if __name__ == "__main__":
    main()
