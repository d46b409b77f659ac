"""Checks the dashboards as files: needs neither Grafana nor Prometheus. Prints what is wrong, a line each."""

from __future__ import annotations

import sys

import aggregation
import dashboards
import layout
import names
import panels
import settings
from dashboards import Dashboard


def findings(every: list[Dashboard]) -> list[str]:
    lines = [*settings.same_twice(every), *names.unknown_names(every)]
    for dashboard in every:
        for part in (
            layout.findings,
            panels.findings,
            aggregation.findings,
            lambda one: settings.findings(one, every),
        ):
            lines += [f"{dashboard.name}: {finding}" for finding in part(dashboard)]
    return lines


def main() -> int:
    every = dashboards.load()
    lines = findings(every)
    print(
        "\n".join(lines)
        or f"{len(every)} dashboards are well: {sum(len(one.panels) for one in every)} panels, "
        f"{sum(len(one.queries) for one in every)} queries"
    )
    return 1 if lines or not every else 0


if __name__ == "__main__":
    sys.exit(main())
