"""Records the demo for a while and draws the dashboards with what was recorded.

usage: pictures.py EXPORTER RECORDING MODULES OUTPUT

RECORDING is a directory; what was recorded there before is drawn again. It has the demo with an outage of a quarter of
an hour, scraped by a real Prometheus for MINUTES, and for the days before it what past.py says. MODULES has
the libraries of Grafana, OUTPUT gets the pictures.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from servers import Prometheus, Server, demo, prometheus  # noqa: E402

MINUTES = 32
SCRAPED = "15s"
OUTAGE_MINUTES = 15
SIMULATOR = r"Google Analytics at (http://[\d.:]+\d)"

# Longer than the past that is added, which would be deleted at once otherwise.
KEPT = "--storage.tsdb.retention.time=1y"


def record(exporter: str, directory: Path) -> None:
    """Puts a Prometheus' data and the pictures to draw of it into the directory."""
    directory.mkdir(parents=True)
    begin = int(time.time())
    with demo(exporter, directory, f"--demo.outage={OUTAGE_MINUTES}m", configuration=None) as server:
        with prometheus(directory, server, interval=SCRAPED, flags=("--web.enable-admin-api",)) as scraping:
            time.sleep(MINUTES * 60)
            end = int(time.time()) // 15 * 15
            snapshot(scraping, directory)
        instance = server.address
    add_the_past(exporter, directory, instance, begin)
    (directory / "pictures.json").write_text(json.dumps(pictures(begin, end)))


def snapshot(scraping: Prometheus, directory: Path) -> None:
    """Moves what was scraped into `recorded`."""
    name = json.loads(scraping.post("/api/v1/admin/tsdb/snapshot"))["data"]["name"]
    shutil.move(directory / "data/snapshots" / name, directory / "recorded")


def add_the_past(exporter: str, directory: Path, instance: str, until: int) -> None:
    """Of another demo, since each has the same past, and asking would show in the first one's memory."""
    with demo(exporter, directory, configuration=None) as other, (directory / "past.txt").open("w") as past:
        command = [sys.executable, HERE / "past.py", simulator(other), exporter, instance, str(until)]
        subprocess.run(command, stdout=past, check=True)
    blocks = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", "past.txt", "recorded"]
    subprocess.run(blocks, cwd=directory, check=True)


def simulator(server: Server) -> str:
    return server.says(SIMULATOR)


def pictures(begin: int, end: int) -> list[dict[str, Any]]:
    """Overview and property near the end of the outage, the others at the end of the recording."""
    stopped = (begin + 120) // 60 * 60
    shown = {"datasource": "Prometheus", "property": "All", "job": "All", "instance": "All", "window": "30m"}
    checkout = {**shown, "property": "Checkout (stops and returns)"}
    news = {**shown, "property": "News India"}
    # Not on a whole minute, where the last time on the axis would be cut off.
    late = stopped + (OUTAGE_MINUTES - 1) * 60 - 15

    def picture(name: str, until: int, hours: float, values: dict[str, str], texts: dict[str, str]) -> dict[str, Any]:
        return {
            "dashboard": name,
            "name": f"dashboard-{name}",
            "from": until - int(hours * 3600),
            "to": until,
            "values": values,
            "texts": texts,
        }

    return [
        picture("overview", late, 3, {"property": ".+"}, shown),
        picture("property", late, 0.5, {"property": "313110004", "window": "30m"}, checkout),
        picture("content", end, 0.5, {"property": "313110005"}, news),
        picture("acquisition", end, 0.5, {"property": "313110005"}, news),
        picture("exporter", end, (end - begin) / 3600, {"job": ".+", "instance": ".+"}, shown),
    ]


def draw(directory: Path, modules: str, output: str) -> None:
    served = directory / "served"
    shutil.rmtree(served, ignore_errors=True)
    served.mkdir()
    shutil.copytree(directory / "recorded", served / "data")
    with prometheus(served, interval="1m", flags=(KEPT,)) as server:
        url = f"http://{server.address}"
        subprocess.run(["node", HERE / "draw.mjs", modules, url, directory / "pictures.json", output], check=True)


def main() -> None:
    exporter, directory, modules, output = sys.argv[1:]
    if not (Path(directory) / "pictures.json").exists():
        record(str(Path(exporter).resolve()), Path(directory))
    draw(Path(directory), modules, output)


if __name__ == "__main__":
    main()
