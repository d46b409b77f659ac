"""The PrometheusRule objects of the chart have the rules of deploy/prometheus/rules, all of them and unchanged."""

import sys
from pathlib import Path

import yaml


def main() -> int:
    things = [thing for thing in yaml.safe_load_all(Path(sys.argv[1]).read_text()) if thing]
    rendered = [thing["spec"] for thing in things if thing["kind"] == "PrometheusRule"]
    shipped = [yaml.safe_load(path.read_text()) for path in sorted(Path("deploy/prometheus/rules").glob("*.yml"))]
    if rendered != shipped:
        print(f"{len(rendered)} objects from {len(shipped)} files, or they differ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
