"""Reads one state of /metrics in both formats with Prometheus' own parsers and compares them.

    formats.py CLASSIC OPENMETRICS    prints the samples as JSON; exits with 1 and the differences when there are any
"""

import json
import sys

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as classic


CHANGING = ("process_", "google_analytics_exporter_web_")


def families(parse, path):
    with open(path, encoding="utf-8", newline="") as file:
        return {family.name: family for family in parse(file.read())}


def head(family):
    return family.type, family.documentation


def samples(family):
    """Values by name and labels; those of the process and of the server change from one page to the next."""
    values = {}
    for sample in family.samples:
        # The formats write the bounds of buckets differently.
        labels = {name: float(value) if name == "le" else value for name, value in sample.labels.items()}
        key = sample.name, tuple(sorted(labels.items()))
        if key in values:
            raise ValueError(f"{key} stands there twice")
        if sample.timestamp is not None:
            raise ValueError(f"{key} has a timestamp")
        values[key] = None if sample.name.startswith(CHANGING) else sample.value
    return values


def main(classic_path, openmetrics_path):
    old, new = families(classic, classic_path), families(openmetrics, openmetrics_path)
    differences = [f"only in one format: {name}" for name in old.keys() ^ new.keys()]
    for name in old.keys() & new.keys():
        if head(old[name]) != head(new[name]):
            differences.append(f"{name}: {head(old[name])} or {head(new[name])}")
        for sample in samples(old[name]).items() ^ samples(new[name]).items():
            differences.append(f"only in one format: {sample}")
    if differences:
        sys.exit("\n".join(differences))
    flat = (sample for family in old.values() for sample in family.samples)
    json.dump([{"name": sample.name, "labels": sample.labels, "value": sample.value} for sample in flat], sys.stdout)


main(*sys.argv[1:])
