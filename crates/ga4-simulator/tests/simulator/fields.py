#!/usr/bin/env python3
"""Makes src/fields.tsv, the fields that the simulator knows, from a list of Google's.

usage: fields.py ../ga4-exporter-core/fields/ga4_fields.tsv >src/fields.tsv

The list has a header and the tab-separated columns kind, api_name, type, core, realtime and unit-or-note. The note holds
`ui=`, `category=`, `deprecated_alias=`, `compat=` and `potentially thresholded`, separated by `; `. Names with a parameter, deprecated
names and what no report takes are left out: a deprecated name stands with the field that replaced it.
"""

import csv
import re
import sys

COLUMNS = ["kind", "name", "type", "reports", "thresholded", "category", "ui name", "deprecated name", "class"]
REPORTS = {("y", "n"): "core", ("n", "y"): "realtime", ("y", "y"): "both"}


def noted(key, note):
    found = re.search(rf"(?:^|; ){key}=([^;]*)", note)
    return found.group(1) if found else ""


def line(field):
    name, note = field["api_name"], field["unit-or-note"]
    reports = REPORTS.get((field["core"], field["realtime"]))
    # What has no name in the user interface is a column of answers, and cannot be asked for.
    if reports is None or ":" in name or not noted("ui", note):
        return None
    return [
        field["kind"],
        name,
        field["type"] if field["kind"] == "metric" else "",
        reports,
        "thresholded" if "potentially thresholded" in note else "",
        noted("category", note) or "Time",
        noted("ui", note),
        noted("deprecated_alias", note),
        noted("compat", note),
    ]


def main():
    with open(sys.argv[1], encoding="utf-8", newline="") as source:
        fields = csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE)
        lines = [one for one in map(line, fields) if one]
    print("\t".join(COLUMNS))
    for one in sorted(lines, key=lambda one: (one[0], one[1])):
        print("\t".join(one))


if __name__ == "__main__":
    main()
