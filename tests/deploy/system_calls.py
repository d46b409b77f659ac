"""Whether the systemd unit allows every system call that the exporter makes, from the start of the demo to its end.

systemd itself cannot start the unit here, where it is not the first process; so strace tells the calls, systemd-analyze the
groups of the unit's SystemCallFilter, and this compares them.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

DEADLINE_SECONDS = 60


def calls_of_group(group: str) -> set[str]:
    listing = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter", group], check=True, capture_output=True, text=True
    ).stdout
    found: set[str] = set()
    for line in listing.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            found |= calls_of_group(name)
        elif name and not name.startswith("#"):
            found.add(name)
    return found


def allowed(unit: Path) -> set[str]:
    calls: set[str] = set()
    for line in unit.read_text().splitlines():
        if not line.startswith("SystemCallFilter="):
            continue
        value = line.removeprefix("SystemCallFilter=")
        groups = value.removeprefix("~").split()
        named = {call for group in groups for call in (calls_of_group(group) if group.startswith("@") else {group})}
        calls = calls - named if value.startswith("~") else calls | named
    return calls


def made(exporter: str, directory: Path) -> set[str]:
    trace = directory / "trace"
    log = directory / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", str(trace), exporter, "demo", "--web.listen-address=127.0.0.1:0",
             f"--storage.path={directory}"],
            stdout=errors, stderr=errors, start_new_session=True,
        )
        try:
            scrape(log)
        finally:
            # strace passes no signal on, so both get it.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(DEADLINE_SECONDS)
    return set(re.findall(r"^\d+ +([a-z_0-9]+)\(", trace.read_text(), re.MULTILINE))


def scrape(log: Path) -> None:
    """Waits for the first figures of a property."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        for address in set(re.findall(r"127\.0\.0\.1:\d+", log.read_text())):
            try:
                with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as response:
                    if b"google_analytics_realtime_pageviews{" in response.read():
                        return
            except (urllib.error.URLError, OSError):
                pass
        time.sleep(0.05)
    raise SystemExit(f"no figures within {DEADLINE_SECONDS} s:\n{log.read_text()}")


def main() -> int:
    with tempfile.TemporaryDirectory() as directory:
        calls = made(sys.argv[2], Path(directory))
    denied = calls - allowed(Path(sys.argv[1]))
    print(f"{len(calls)} system calls; denied: {sorted(denied) or 'none'}")
    return 1 if denied or not calls else 0


if __name__ == "__main__":
    sys.exit(main())
