#!/usr/bin/env python3
"""Makes src/report/fields/table.tsv, the fields that the exporter knows, from ga4_fields.tsv, a list of Google's.

usage: generate.py >../src/report/fields/table.tsv

The list has a header and the tab-separated columns kind, api_name, type, core, realtime and unit-or-note. The note holds
`unit=`, `agg=`, `ui=`, `compat=`, `cardinality=` and remarks, separated by `; `. README.md says where
its facts come from.
"""

import csv
import pathlib
import re

COLUMNS = ["kind", "name", "reports", "unit", "addition", "class", "marks", "ui name"]
REPORTS = {("y", "n"): "core", ("n", "y"): "realtime", ("y", "y"): "both"}
UNITS = {
    "TYPE_INTEGER": "standard",
    "TYPE_FLOAT": "standard",
    "TYPE_CURRENCY": "currency",
    "TYPE_SECONDS": "seconds",
    "TYPE_MILLISECONDS": "milliseconds",
}
# The mark of each remark; what it means stands in standard.rs.
MARKS = {
    "key-event attribution scope": "attribution",
    "potentially thresholded": "thresholded",
    "cardinality=high": "many",
}
# What may be below 0, besides amounts of money: the sum of an event parameter, and a quotient of revenue.
SIGNED = {"eventValue", "returnOnAdSpend", "customEvent", "averageCustomEvent", "calcMetric"}


def noted(key, note):
    found = re.search(rf"(?:^|; ){key}=([^;]*)", note)
    return found.group(1).strip() if found else ""


def unit(field):
    if field["kind"] == "dimension":
        return ""
    if re.search(r"(?:^|; )unit=ratio(?: 0\.\.1|;)", field["unit-or-note"]):
        return "ratio"
    return UNITS.get(field["type"], "")


def standard(field):
    """A field that every property has."""
    name, note = field["api_name"], field["unit-or-note"]
    reports = REPORTS.get((field["core"], field["realtime"]))
    # What has no name in the user interface is a column of answers, and cannot be asked for.
    if reports is None or ":" in name or not noted("ui", note):
        return None
    marks = [mark for remark, mark in MARKS.items() if remark in note]
    is_metric = field["kind"] == "metric"
    if is_metric and (unit(field) == "currency" or name in SIGNED):
        marks.append("signed")
    addition = noted("agg", note) if is_metric else ""
    return [
        field["kind"],
        name,
        reports,
        unit(field),
        addition,
        noted("compat", note),
        ",".join(marks),
        noted("ui", note),
    ]


def custom(field):
    """The beginning of the names of fields that properties define themselves."""
    name, colon, rest = field["api_name"].partition(":")
    if not colon or "[" in rest:
        return None
    note = field["unit-or-note"]
    is_metric = field["kind"] == "metric"
    kind_of_unit = "ratio" if name.endswith("KeyEventRate") else unit(field)
    addition = noted("agg", note) or "average" if is_metric else ""
    marks = "signed" if is_metric and name in SIGNED else ""
    reports = REPORTS[(field["core"], field["realtime"])]
    return [f"custom {field['kind']}", name, reports, kind_of_unit, addition, "", marks, ""]


def gone(field):
    """A name that Google has given up, and the one in its place."""
    note = field["unit-or-note"]
    if not note.startswith(("DEPRECATED", "REMOVED")):
        return None
    found = re.search(r"(?:alias of|today) (\w+)", note)
    return [f"former {field['kind']}", field["api_name"], "", "", "", "", "", found.group(1) if found else ""]


def main():
    path = pathlib.Path(__file__).with_name("ga4_fields.tsv")
    with path.open(encoding="utf-8", newline="") as source:
        fields = list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    print("\t".join(COLUMNS))
    for kind in (standard, custom, gone):
        lines = [line for line in map(kind, fields) if line]
        for line in sorted(lines, key=lambda line: (line[0], line[1])):
            print("\t".join(line))


if __name__ == "__main__":
    main()
