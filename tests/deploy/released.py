"""Whether exactly what a Prometheus of kube-prometheus-stack selects by the name of its release has that label."""

import sys
from pathlib import Path

import yaml

SELECTED = {"ServiceMonitor", "PrometheusRule"}


def main() -> int:
    path, release = sys.argv[1:]
    things = [thing for thing in yaml.safe_load_all(Path(path).read_text()) if thing]
    found = [f"there is no {kind}" for kind in SELECTED - {thing["kind"] for thing in things}]
    for thing in things:
        label = thing["metadata"].get("labels", {}).get("release")
        wanted = release if thing["kind"] in SELECTED else None
        if label != wanted:
            found.append(f"{thing['kind']} {thing['metadata']['name']} has release={label}, expected {wanted}")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
