"""In a StatefulSet of shards, there are as many pods as --shard counts, and each knows its number."""

import re
import sys
from pathlib import Path

import yaml


def main() -> int:
    things = [thing for thing in yaml.safe_load_all(Path(sys.argv[1]).read_text()) if thing]
    [workload] = [thing for thing in things if thing["kind"] == "StatefulSet"]
    [container] = workload["spec"]["template"]["spec"]["containers"]
    [flag] = [argument for argument in container["args"] if argument.startswith("--shard")]
    number = re.fullmatch(r"--shard=\$\(POD_INDEX\)/(\d+)", flag)
    [variable] = [variable for variable in container["env"] if variable["name"] == "POD_INDEX"]
    field = variable["valueFrom"]["fieldRef"]["fieldPath"]
    if not number or int(number[1]) != workload["spec"]["replicas"]:
        print(f"{workload['spec']['replicas']} replicas, but {flag}")
        return 1
    if field != "metadata.labels['apps.kubernetes.io/pod-index']":
        print(f"POD_INDEX is {field}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
