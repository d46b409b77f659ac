"""Objects of Kubernetes that the schemas of Kubernetes say nothing about, or not enough.

The kinds of the Prometheus Operator are read by its models; what a model does not know is dropped there, so what comes out
must be what went in. Pods must fulfil the profile `restricted` of Kubernetes' Pod Security Standards, have probes and a limit
on memory, and every reference from a pod must lead to an object of the same files or to the Secret that users make.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from cloudcoil.models.prometheus_operator import v1

SECRETS_OF_USERS = ("google-analytics-exporter-key", "google-analytics-sync")
WORKLOADS = ("Deployment", "StatefulSet")
VOLUMES = {"configMap", "secret", "persistentVolumeClaim", "emptyDir", "projected", "downwardAPI"}


def named(thing: dict[str, Any]) -> str:
    return f"{thing['kind']} {thing['metadata']['name']}"


def dropped(before: Any, after: Any, path: str = "") -> list[str]:
    """What is in one and not, or otherwise, in the other."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [fault for key in before for fault in dropped(before[key], after.get(key), f"{path}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [fault for i, pair in enumerate(zip(before, after)) for fault in dropped(*pair, f"{path}[{i}]")]
    return [] if before == after else [f"{path}: {before!r} is read as {after!r}"]


def faults_of_operator(thing: dict[str, Any]) -> list[str]:
    try:
        model = getattr(v1, thing["kind"]).model_validate(thing)
    except ValueError as error:
        return [str(error)]
    return dropped(thing, model.model_dump(mode="json", by_alias=True, exclude_unset=True))


def faults_of_pod(pod: dict[str, Any], known: set[str], claims: set[str], serves: bool = True) -> list[str]:
    faults = []
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
        faults.append("it may run as root")
    if context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        faults.append("no seccomp profile")
    if pod.get("automountServiceAccountToken") is not False:
        faults.append("it gets a token of the cluster")
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        faults.append("it shares the host's namespaces")
    for volume in pod.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES:
            faults.append(f"volume {volume['name']} is of a kind that is not allowed: {kinds}")
        references = {
            "ConfigMap": volume.get("configMap", {}).get("name"),
            "Secret": volume.get("secret", {}).get("secretName"),
            "PersistentVolumeClaim": volume.get("persistentVolumeClaim", {}).get("claimName"),
        }
        for kind, name in references.items():
            if name and name not in SECRETS_OF_USERS and not any(f"{kind} {name}" == other for other in known):
                faults.append(f"there is no {kind} {name}")
    volumes = {volume["name"] for volume in pod.get("volumes", [])} | claims
    for container in pod["containers"]:
        faults += faults_of_container(container, volumes, serves)
    return faults


def faults_of_container(container: dict[str, Any], volumes: set[str], serves: bool) -> list[str]:
    faults = []
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False:
        faults.append("privileges can be gained")
    if context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("capabilities", {}).get("add"):
        faults.append("capabilities are kept")
    if context.get("readOnlyRootFilesystem") is not True:
        faults.append("the file system is writable")
    if "memory" not in container.get("resources", {}).get("limits", {}):
        faults.append("no limit on memory")
    if serves:
        faults += [f"no {probe}" for probe in ("livenessProbe", "readinessProbe", "startupProbe") if probe not in container]
    mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
    if mounts != volumes:
        faults.append(f"mounts {sorted(mounts)} of the volumes {sorted(volumes)}")
    return faults


def faults(things: list[dict[str, Any]]) -> list[str]:
    found = []
    known = {named(thing) for thing in things}
    if len(known) != len(things):
        found.append("two objects have one name")
    for thing in things:
        if thing["apiVersion"] == "monitoring.coreos.com/v1":
            found += [f"{named(thing)}: {fault}" for fault in faults_of_operator(thing)]
        if thing["kind"] in WORKLOADS:
            claims = {claim["metadata"]["name"] for claim in thing["spec"].get("volumeClaimTemplates", [])}
            pod = thing["spec"]["template"]["spec"]
            found += [f"{named(thing)}: {fault}" for fault in faults_of_pod(pod, known, claims)]
        if thing["kind"] == "CronJob":
            pod = thing["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            found += [f"{named(thing)}: {fault}" for fault in faults_of_pod(pod, known, set(), serves=False)]
    workloads = [thing for thing in things if thing["kind"] in WORKLOADS]
    if len(workloads) != 1:
        found.append(f"one workload expected: {[named(thing) for thing in workloads]}")
    return found + faults_of_selectors(things, workloads)


def faults_of_selectors(things: list[dict[str, Any]], workloads: list[dict[str, Any]]) -> list[str]:
    """Who selects pods selects those of the workload, and the ServiceMonitor selects the Service."""
    labels = workloads[0]["spec"]["template"]["metadata"]["labels"] if workloads else {}
    jobs = [thing["spec"]["jobTemplate"]["spec"]["template"] for thing in things if thing["kind"] == "CronJob"]
    of_jobs = [pod["metadata"]["labels"] for pod in jobs]
    services = [thing["metadata"].get("labels", {}) for thing in things if thing["kind"] == "Service"]
    found = []
    for thing in things:
        spec = thing.get("spec", {})
        match thing["kind"]:
            case "Service":
                selector, selected = spec["selector"], labels
            case "NetworkPolicy":
                selector = spec["podSelector"]["matchLabels"]
                selected = next((of_job for of_job in of_jobs if selector.items() <= of_job.items()), labels)
            case "PodDisruptionBudget" | "Deployment" | "StatefulSet":
                selector, selected = spec["selector"]["matchLabels"], labels
            case "ServiceMonitor":
                selector, selected = spec["selector"]["matchLabels"], services[0]
            case _:
                continue
        if not selector.items() <= selected.items():
            found.append(f"{named(thing)} selects {selector}, but there is {selected}")
    return found


def main() -> int:
    things = [thing for thing in yaml.safe_load_all(Path(sys.argv[1]).read_text()) if thing]
    found = faults(things)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
