"""The dashboards as the tests see them: panels, queries, variables and every place that has a link or a colour.

Knows the shape of Grafana's JSON, and nothing of what is right or wrong in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "dashboards"


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    dashboard: str
    panel: dict[str, Any]
    target: dict[str, Any]

    @property
    def text(self) -> str:
        return self.target["expr"]

    @property
    def place(self) -> tuple[str, str, str]:
        """What names the query in lists: the file, the panel's title and the query's letter."""
        return self.dashboard, self.panel["title"], self.target["refId"]

    @property
    def is_instant(self) -> bool:
        return self.target.get("instant", False)


@dataclass(frozen=True)
class Dashboard:
    """One file."""

    name: str
    content: dict[str, Any]

    @property
    def panels(self) -> list[dict[str, Any]]:
        """What shows data, without the headings of rows."""
        return [panel for panel in self.content["panels"] if panel["type"] != "row"]

    @property
    def queries(self) -> list[Query]:
        return [Query(self.name, panel, target) for panel in self.panels for target in panel["targets"]]

    @property
    def variables(self) -> list[dict[str, Any]]:
        return self.content["templating"]["list"]


def load() -> list[Dashboard]:
    """All dashboards, by file name."""
    return [Dashboard(path.stem, json.loads(path.read_text())) for path in sorted(DIRECTORY.glob("*.json"))]


def nodes(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in a document with its path, such as `.panels[3].title`."""
    yield path, value
    if isinstance(value, dict):
        for key, child in value.items():
            yield from nodes(child, f"{path}.{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from nodes(child, f"{path}[{index}]")


def substituted(text: str, values: dict[str, str]) -> str:
    """The text with variables replaced, longest names first, as `$name` and `${name}`."""
    for name in sorted(values, key=len, reverse=True):
        text = text.replace("${" + name + "}", values[name]).replace("$" + name, values[name])
    return text
