"""What queries may do with the metrics: rates of counters only, one series for each property first, no sum of people
or of what is in two properties."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dashboards import Dashboard, Query, substituted
from promql import PLACEHOLDERS, Selector, selectors

INCREASES = {"rate", "increase", "histogram_quantile"}
AGGREGATIONS = {"sum", "avg", "min", "max", "count", "group", "quantile", "topk", "bottomk"}

# Distinct people: one who is in two properties or windows would be counted twice.
PEOPLE = re.compile("active_users|visitors|new_users")

# The label by which a dashboard chooses what to show: every selector has it.
CHOSEN_BY = {
    "overview": {"property_id": "$property"},
    "property": {"property_id": "$property"},
    "content": {"property_id": "$property"},
    "acquisition": {"property_id": "$property"},
    "exporter": {"job": "$job", "instance": "$instance"},
}

# The documented way to a property's name, which joins what was chosen already.
JOIN = "topk by (property_id) (1, google_analytics_property_info)"

# What a sum over properties leaves out.
REPEATED = 'property_type=~"subproperty|rollup"'


def findings(dashboard: Dashboard) -> Iterator[str]:
    for query in dashboard.queries:
        for finding in _of_query(query):
            yield f"{query.panel['title']} {query.target['refId']}: {finding}"


def _of_query(query: Query) -> Iterator[str]:
    try:
        found = selectors(substituted(query.text, PLACEHOLDERS))
    except ValueError as error:
        yield f"is no PromQL: {error}"
        return
    yield from _windows(query.text)
    yield from _strangers(query.text, found)
    yield from _choice(query)
    for selector in found:
        yield from _of_selector(selector, query.text)


def _windows(text: str) -> Iterator[str]:
    """Rates follow the resolution of the chart; an increase answers how much in a time that is told."""
    for function, window in re.findall(r"\b(rate|irate|increase|deriv)\([^\[\]]*\[([^\]]+)\]", text):
        if (function == "rate") != (window == "$__rate_interval") or function == "irate":
            yield f"{function} over [{window}]"


def _strangers(text: str, found: list[Selector]) -> Iterator[str]:
    """Every program has metrics such as `up`: they are those of exporters only beside a metric of the exporter's own."""
    general = [selector.name for selector in found if re.match("up$|process_|scrape_", selector.name)]
    if general and not re.search(r"and on \(job, instance\) \S*google_analytics_exporter_build_info", text):
        yield f"{general[0]} is that of every target"


def _choice(query: Query) -> Iterator[str]:
    chosen = {name: variable for name, variable in CHOSEN_BY[query.dashboard].items()}
    values = {**PLACEHOLDERS, **{variable.lstrip("$"): f"chosen {label}" for label, variable in chosen.items()}}
    for selector in selectors(substituted(query.text.replace(JOIN, "vector(1)"), values)):
        for label in chosen:
            _, value = selector.matchers.get(label, ("", ""))
            if not value.startswith(f"chosen {label}"):
                yield f"{selector.name or 'a selector'} is not chosen by {label}"


def _of_selector(selector: Selector, text: str) -> Iterator[str]:
    name, around = selector.name, selector.around
    if re.search("_(total|bucket)$", name) and not (INCREASES | {"filter"}) & set(around):
        yield f"{name} is a counter: only its increase means something"
    if PEOPLE.search(name) and {"sum", "avg"} & set(around):
        yield f"{name} counts distinct people, which are not summed"
    is_filter = "filter" in around or name in ("up", "google_analytics_property_info")
    if name.startswith(("google_analytics_", "property")) and not is_filter and not AGGREGATIONS & set(around):
        yield f"{name} is not brought to one series first: a second exporter or job would break it"
    summed = around.index("sum") if "sum" in around else None
    gauges = re.match("google_analytics_(realtime|today|yesterday|trailing|window)", name)
    if gauges and summed is not None and not {"max", "min"} & set(around[summed:]):
        yield f"{name} is summed over exporters: take the largest of each property first"
    if gauges and summed is not None and REPEATED not in text:
        yield f"{name} is summed over sub-properties and roll-ups, too: these repeat what others count"
