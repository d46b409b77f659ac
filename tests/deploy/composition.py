"""What deploy/compose must come to, as Docker Compose resolves it: with the simulated Google, with a key, and with a database.

Nothing is reachable from elsewhere, every service is hardened, every image that is not built here is pinned, and the key is
mounted as a secret exactly when there is one.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

ALWAYS = {"exporter", "prometheus", "alertmanager", "grafana"}

PINNED = re.compile(r".+:[^:@]+@sha256:[0-9a-f]{64}$")


def faults_of_service(name: str, service: dict[str, Any]) -> list[str]:
    faults = []
    for port in service.get("ports", []):
        if port.get("host_ip") != "127.0.0.1":
            faults.append(f"port {port.get('published')} is not bound to loopback")
    if not service.get("read_only"):
        faults.append("the file system is writable")
    if service.get("cap_drop") != ["ALL"]:
        faults.append("capabilities are kept")
    if "no-new-privileges:true" not in service.get("security_opt", []):
        faults.append("privileges can be gained")
    if service.get("privileged") or service.get("network_mode") == "host":
        faults.append("it is not confined")
    if "build" in service and service.get("pull_policy") != "build":
        faults.append("an image of that name may come from a registry")
    if "build" not in service and not PINNED.match(service["image"]):
        faults.append(f"{service['image']} is not pinned by version and digest")
    if name not in {"exporter", "sync"} and not service.get("healthcheck"):
        faults.append("no health check")
    for volume in service.get("volumes", []):
        if volume["type"] == "bind" and not volume.get("read_only"):
            faults.append(f"{volume['source']} is writable")
        if volume["type"] == "bind" and not Path(volume["source"]).exists():
            faults.append(f"{volume['source']} does not exist")
    return [f"{name}: {fault}" for fault in faults]


def faults_of_grafana(service: dict[str, Any]) -> list[str]:
    environment = service["environment"]
    faults = []
    if environment.get("GF_AUTH_ANONYMOUS_ENABLED") != "false":
        faults.append("grafana: it may be open to anybody")
    if "GF_SECURITY_ADMIN_PASSWORD" in environment or "GF_SECURITY_ADMIN_PASSWORD__FILE" not in environment:
        faults.append("grafana: the password is not one that was made here")
    return faults


def faults(demo: dict[str, Any], key_given: dict[str, Any], history: dict[str, Any], key: str) -> list[str]:
    found = []
    for composition, services in ((demo, ALWAYS), (key_given, ALWAYS), (history, ALWAYS | {"database", "sync"})):
        for name, service in composition["services"].items():
            found += faults_of_service(name, service)
        found += faults_of_grafana(composition["services"]["grafana"])
        if set(composition["services"]) != services:
            found.append(f"services: {sorted(composition['services'])}")
    exporter = demo["services"]["exporter"]
    if exporter["command"][0] != "demo" or exporter.get("secrets") or demo.get("secrets"):
        found.append("without a key it is not the demo")
    exporter = key_given["services"]["exporter"]
    mounted = [secret.get("target") for secret in exporter.get("secrets", [])]
    if "demo" in exporter["command"] or f"--google.credentials-file={mounted[0] if mounted else ''}" not in exporter["command"]:
        found.append(f"with a key it is not the exporter that reads it: {exporter['command']}")
    if key_given.get("secrets", {}).get("google_analytics_key", {}).get("file") != key:
        found.append("the secret is not the file that was given")
    return found


def main() -> int:
    demo, key_given, history = (json.loads(Path(path).read_text()) for path in sys.argv[1:4])
    found = faults(demo, key_given, history, sys.argv[4])
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
