"""The values that a dashboard's variables can have, as Grafana's Prometheus data source finds them."""

from __future__ import annotations

import re
from typing import Any

from dashboards import substituted
from servers import Prometheus

# A property whose name has all that needs escaping, and is shown as it is.
PROPERTY_NAME = 'Café "Zoë" \\ Shop'


def options(variable: dict[str, Any], prometheus: Prometheus, values: dict[str, str]) -> dict[str, str]:
    """Values by the text that is shown for them."""
    if variable["type"] != "query":
        return {option["text"]: option["value"] for option in variable["options"]}
    query = substituted(variable["query"]["query"], values)
    if labels := re.fullmatch(r"label_values\((.+), (\w+)\)", query):
        found = prometheus.api(f"label/{labels[2]}/values", **{"match[]": labels[1]})
        return {value: value for value in found}
    result = re.fullmatch(r"query_result\((.+)\)", query)
    assert result, query
    texts = [_text(series) for series in prometheus.api("query", query=result[1])["result"]]
    # JavaScript's names of groups, in Python's spelling.
    pattern = re.compile(variable["regex"].strip("/").replace("(?<", "(?P<"))
    return {found["text"]: found["value"] for text in texts if (found := pattern.search(text))}


def _text(series: dict[str, Any]) -> str:
    """A series as the data source writes it: labels in Prometheus' order, unescaped, then value and time."""
    labels = ",".join(f'{name}="{value}"' for name, value in series["metric"].items() if name != "__name__")
    time, value = series["value"]
    return f"{series['metric'].get('__name__', '')}{{{labels}}} {value} {int(time * 1000)}"
