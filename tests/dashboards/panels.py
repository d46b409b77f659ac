"""What every panel owes its reader: a title, a description, a unit, thresholds, legends, safe colours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dashboards import Dashboard, nodes

TYPES = {"timeseries", "stat", "table", "bargauge", "state-timeline"}

# Of the palette of Okabe and Ito (2008), which people with any of the usual kinds of colour blindness can tell apart,
# those that are seen on a dark and on a white page; a grey for what is compared with; the theme's colour of text.
COLOURS = {
    "#0072B2": "blue",
    "#E69F00": "orange",
    "#D55E00": "vermillion",
    "#009E73": "green",
    "#CC79A7": "purple",
    "#8C8C8C": "grey",
    "text": "text",
}

# Green against vermillion says nothing to some, so that states are told by blue, orange and vermillion only.
STATES = {"#0072B2", "#E69F00", "#D55E00", "#8C8C8C", "text"}

# Modes that take no colours of their own from Grafana's palettes.
MODES = {"fixed", "thresholds", "shades"}


def findings(dashboard: Dashboard) -> Iterator[str]:
    for panel in dashboard.panels:
        for finding in _of_panel(panel):
            yield f"{panel.get('title') or panel['id']}: {finding}"
    yield from _colours(dashboard)


def _of_panel(panel: dict[str, Any]) -> Iterator[str]:
    defaults = panel["fieldConfig"]["defaults"]
    if panel["type"] not in TYPES:
        yield f"{panel['type']} is not among {', '.join(sorted(TYPES))}"
    if not panel.get("title"):
        yield "has no title"
    if not re.search(r"\.$", panel.get("description", "")):
        yield "has no description that ends with a full stop"
    if not defaults.get("unit"):
        yield "has no unit"
    if not panel.get("targets"):
        yield "asks for nothing"
    yield from _thresholds(defaults)
    for override in panel["fieldConfig"]["overrides"]:
        for item in override["properties"]:
            if item["id"] == "thresholds":
                yield from _thresholds({"thresholds": item["value"]})
    yield from _columns(panel) if panel["type"] == "table" else _legends(panel)


def _thresholds(defaults: dict[str, Any]) -> Iterator[str]:
    steps = defaults.get("thresholds", {}).get("steps", [])
    values = [step["value"] for step in steps]
    if not values or values[0] is not None or values[1:] != sorted(set(values[1:])):
        yield "its thresholds do not begin with null and rise"
    if any(step["color"] not in STATES for step in steps):
        yield "its thresholds have colours that are not for states"


def _legends(panel: dict[str, Any]) -> Iterator[str]:
    legends = [target.get("legendFormat", "") for target in panel["targets"]]
    if any(legend in ("", "__auto") for legend in legends):
        yield "a legend is the whole series"
    if len(set(legends)) < len(legends):
        yield "two queries have the same legend"
    # The names of overrides are those of series: one that names none does nothing.
    patterns = [re.sub(r"\\\{\\\{\w+\\\}\\\}", ".+", re.escape(legend)) for legend in legends]
    for override in panel["fieldConfig"]["overrides"]:
        matcher = override["matcher"]
        if matcher["id"] == "byName" and not any(re.fullmatch(pattern, matcher["options"]) for pattern in patterns):
            yield f"an override is for {matcher['options']}, which no legend is"


def _columns(panel: dict[str, Any]) -> Iterator[str]:
    """Every value is a column with a heading or left out, and everything that names a column names one that is there."""
    options = next(step["options"] for step in panel["transformations"] if step["id"] == "organize")
    shown, left_out = options["renameByName"], options["excludeByName"]
    letters = [target["refId"] for target in panel["targets"]]
    values = [f"Value #{letter}" for letter in letters] if len(letters) > 1 else ["Value"]
    for value in values:
        if (value in shown) == bool(left_out.get(value)):
            yield f"{value} is neither a column with a heading nor left out"
    if any(target.get("format") != "table" or not target.get("instant") for target in panel["targets"]):
        yield "a table asks for tables, at one time"
    headings = set(shown.values())
    for entry in panel["options"]["sortBy"]:
        if entry["displayName"] not in headings:
            yield f"is sorted by {entry['displayName']}, which is no heading"
    for override in panel["fieldConfig"]["overrides"]:
        matcher = override["matcher"]
        pattern = re.escape(matcher["options"]) if matcher["id"] == "byName" else matcher["options"].strip("/")
        if not any(
            re.search(f"^(?:{pattern})$" if matcher["id"] == "byName" else pattern, heading) for heading in headings
        ):
            yield f"an override is for {matcher['options']}, which is no heading"


def _colours(dashboard: Dashboard) -> Iterator[str]:
    for path, value in nodes(dashboard.content):
        if path.endswith((".color", ".fixedColor")) and isinstance(value, str) and value not in COLOURS:
            yield f"{path}: {value} is not among {', '.join(COLOURS.values())}"
        if path.endswith((".color", ".color.value")) and isinstance(value, dict) and value["mode"] not in MODES:
            yield f"{path}: the colour mode is {value['mode']}, not one of {', '.join(sorted(MODES))}"
