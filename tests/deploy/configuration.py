"""Prints the exporter's configuration that is in a ConfigMap of rendered objects."""

import sys
from pathlib import Path

import yaml

KEY = "google_analytics_exporter.yml"

things = [thing for thing in yaml.safe_load_all(Path(sys.argv[1]).read_text()) if thing]
[configuration] = [thing["data"][KEY] for thing in things if KEY in thing.get("data", {})]
print(configuration)
