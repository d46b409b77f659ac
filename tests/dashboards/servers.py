"""A real exporter in its demo, and a real Prometheus that scrapes it and evaluates the rules.

Both listen on ports of 127.0.0.1 that the system chooses, and end with the block that started them.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from dashboards import ROOT

T = TypeVar("T")


class WaitedInVain(Exception):
    """What was awaited did not come before the deadline."""


DEADLINE_SECONDS = 60.0

# Polled so often that every figure is there within seconds.
EXPORTER_CONFIGURATION = """\
reports:
  realtime: {interval: 1s}
  traffic: {interval: 2s}
  pages: {preset: pages, interval: 5s}
  landing_pages: {preset: landing_pages, interval: 5s}
  sources: {preset: sources, interval: 5s}
  channels: {preset: channels, interval: 5s}
  countries: {preset: countries, interval: 5s}
  devices: {preset: devices, interval: 5s}
  events: {preset: events, interval: 5s}
  realtime_pages: {preset: realtime_pages, interval: 5s}
  realtime_countries: {preset: realtime_countries, interval: 5s}
  realtime_events: {preset: realtime_events, interval: 5s}
"""

PROMETHEUS_CONFIGURATION = """\
global: {{scrape_interval: {interval}, scrape_timeout: 1s, evaluation_interval: {interval}}}
rule_files: ["{rules}/*.yml"]
scrape_configs:
  - job_name: google_analytics
    static_configs: [{{targets: [{targets}]}}]
"""


class Server:
    """A child process that says in its log where it listens."""

    def __init__(self, command: list[str], directory: Path, address: str) -> None:
        self._lines: list[str] = []
        self._process = subprocess.Popen(
            command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.address = self.says(address)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)

    def says(self, pattern: str) -> str:
        """The first group of a pattern in what it writes, once it is there."""
        return await_(pattern, lambda: self._found(pattern))

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, "".join(self._lines))
        if found:
            return found[1]
        if self._process.poll() is not None:
            raise WaitedInVain("it ended:\n" + "".join(self._lines))
        raise LookupError("".join(self._lines[-5:]))

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def get(self, path: str, parameters: dict[str, str] | None = None) -> str:
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        with urllib.request.urlopen(f"http://{self.address}{path}{query}", timeout=10) as answer:
            return answer.read().decode()

    def post(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.address}{path}", data=b"", timeout=60) as answer:
            return answer.read().decode()


class Prometheus(Server):
    """With its API."""

    def api(self, path: str, **parameters: str) -> Any:
        """The data of an answer; what Prometheus refuses is raised with its words."""
        try:
            return json.loads(self.get(f"/api/v1/{path}", parameters))["data"]
        except urllib.error.HTTPError as error:
            raise ValueError(json.loads(error.read())["error"]) from error


def await_(what: str, attempt: Callable[[], T], seconds: float = DEADLINE_SECONDS) -> T:
    """The result of the first attempt that raises neither LookupError nor OSError."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except (LookupError, OSError) as error:
            if time.monotonic() > deadline:
                raise WaitedInVain(f"{what}: {error}") from error
            time.sleep(0.2)


@contextmanager
def demo(
    program: str, directory: Path, *flags: str, configuration: str | None = EXPORTER_CONFIGURATION
) -> Iterator[Server]:
    """The exporter's demo, once it has asked for everything; without a configuration it has its own."""
    command = [program, "demo", "--web.listen-address=127.0.0.1:0", *flags]
    if configuration is not None:
        (directory / "exporter.yml").write_text(configuration)
        command.append("--config.file=exporter.yml")
    exporter = Server(command, directory, r"listening on http://([^/]+)/")
    try:
        await_("the exporter to be ready", lambda: exporter.get("/-/ready"))
        yield exporter
    finally:
        exporter.stop()


@contextmanager
def prometheus(
    directory: Path, *exporters: Server, interval: str = "1s", flags: tuple[str, ...] = ()
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes the exporters and evaluates the rules; it begins with what is in `data`."""
    targets = ", ".join(f'"{exporter.address}"' for exporter in exporters)
    configuration = PROMETHEUS_CONFIGURATION.format(
        rules=ROOT / "deploy/prometheus/rules", targets=targets, interval=interval
    )
    (directory / "prometheus.yml").write_text(configuration)
    command = [
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--web.listen-address=127.0.0.1:0",
        *flags,
    ]
    server = Prometheus(command, directory, r'msg="Listening on" address=(\S+)')
    try:
        await_("Prometheus to be ready", lambda: server.get("/-/ready"))
        yield server
    finally:
        server.stop()


def backfill(exporter: Server, directory: Path) -> None:
    """Moves what the exporter says now back by a day and by a week, so that queries with these offsets have data."""
    now = int(time.time())
    moments = [now - back + minute * 60 for back in (7 * 86400, 86400) for minute in range(-10, 11)]
    wanted = re.compile(r"^google_analytics_(?:today|realtime)_\w+\{", re.MULTILINE)
    lines = [line for line in exporter.get("/metrics").splitlines() if wanted.match(line)]
    if not lines:
        raise SystemExit("the exporter has no figures of today")
    target = f'{{job="google_analytics",instance="{exporter.address}",'
    # One after the other in time, which promtool takes in any order of series.
    samples = [f"{line.replace('{', target, 1)} {moment}" for line in lines for moment in moments]
    (directory / "past.txt").write_text("\n".join([*samples, "# EOF", ""]))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "past.txt", "data"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"promtool: {done.stderr}")
