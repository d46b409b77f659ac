"""What surrounds the panels: identity, variables, data source, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dashboards import ROOT, Dashboard, nodes

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
RUNBOOK = "${documentation}RUNBOOK.md"

# What a link to another dashboard takes along, besides the time range.
CARRIED = ["var-datasource=${datasource}", "var-documentation=${documentation:percentencode}"]


def findings(dashboard: Dashboard, dashboards: list[Dashboard]) -> Iterator[str]:
    yield from _identity(dashboard)
    yield from _variables(dashboard)
    yield from _datasource(dashboard)
    others = {other.content["uid"]: other for other in dashboards}
    for path, value in nodes(dashboard.content):
        if path.endswith(".url"):
            yield from (f"{path}: {finding}" for finding in _link(value, others))
    yield from _way_to(dashboard, others)


def same_twice(dashboards: list[Dashboard]) -> Iterator[str]:
    for key in ("uid", "title"):
        values = [dashboard.content[key] for dashboard in dashboards]
        if len(set(values)) < len(values):
            yield f"two dashboards have the same {key}"


def _identity(dashboard: Dashboard) -> Iterator[str]:
    content = dashboard.content
    if content["uid"] != f"google-analytics-{dashboard.name}":
        yield "its uid is not google-analytics- and the file's name"
    if "id" in content or "__inputs" in content or "__requires" in content:
        yield "has an id or inputs, which a file that is provisioned has not"
    if content["editable"] is not False:
        yield "is editable: changes would be lost with the next version of the file"
    if "google-analytics" not in content["tags"] or not content["description"]:
        yield "has no tag google-analytics, or no description"
    numbers = [panel["id"] for panel in content["panels"]]
    if len(set(numbers)) < len(numbers):
        yield "two panels have the same id"
    titles = [panel["title"] for panel in content["panels"]]
    if len(set(titles)) < len(titles):
        yield "two panels have the same title"


def _variables(dashboard: Dashboard) -> Iterator[str]:
    names = [variable["name"] for variable in dashboard.variables]
    if names[0] != "datasource" or dashboard.variables[0]["query"] != "prometheus":
        yield "its first variable is not the data source"
    for variable in dashboard.variables:
        if not variable.get("label") or not variable.get("description"):
            yield f"the variable {variable['name']} has no label or description"
        if variable["type"] == "query" and (variable["refresh"] != 2 or variable["datasource"] != DATASOURCE):
            yield f"the variable {variable['name']} does not follow the time range and the data source"
        if variable["type"] == "datasource" and variable.get("current"):
            yield "a data source is chosen already"
    text = str(dashboard.content)
    for name in names:
        if not re.search(r"\$\{?" + name + r"\b", text):
            yield f"the variable {name} is not used"
    used = set(re.findall(r"\$\{?([a-zA-Z]\w*)", " ".join(query.text for query in dashboard.queries)))
    for name in sorted(used - set(names)):
        yield f"${name} is not a variable"


def _datasource(dashboard: Dashboard) -> Iterator[str]:
    for panel in dashboard.panels:
        if panel["datasource"] != DATASOURCE or any(
            target["datasource"] != DATASOURCE for target in panel["targets"]
        ):
            yield f"{panel['title']}: its data source is not the variable"
    for path, value in nodes(dashboard.content):
        if path.endswith("atasource") and isinstance(value, dict) and value != DATASOURCE:
            yield f"{path}: {value} is not the variable"


def _link(url: str, others: dict[str, Dashboard]) -> Iterator[str]:
    if url.startswith("/d/"):
        uid, _, query = url.removeprefix("/d/").partition("?")
        if uid not in others:
            yield f"no dashboard has the uid {uid}"
            return
        if any(part not in query for part in CARRIED):
            yield "does not take the variables along"
        known = {variable["name"] for variable in others[uid].variables}
        for name in set(re.findall(r"var-(\w+)=", query)) - known:
            yield f"{uid} has no variable {name}"
    elif url.startswith(RUNBOOK):
        anchor = url.removeprefix(RUNBOOK)
        if anchor and anchor.removeprefix("#") not in _anchors():
            yield f"the runbook has no heading {anchor}"
    else:
        yield f"{url} is neither a dashboard nor the runbook"


def _anchors() -> set[str]:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/RUNBOOK.md").read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _way_to(dashboard: Dashboard, others: dict[str, Dashboard]) -> Iterator[str]:
    """The links at the top: to each other dashboard with the time range, and to the runbook."""
    links: list[dict[str, Any]] = dashboard.content["links"]
    for uid in set(others) - {dashboard.content["uid"]}:
        way = [link for link in links if link["url"].startswith(f"/d/{uid}?")]
        if not way or not way[0]["keepTime"]:
            yield f"no link at the top leads to {uid} and keeps the time range"
    if not any(link["url"] == RUNBOOK for link in links):
        yield "no link at the top leads to the runbook"
