"""Writes the shell scripts of a workflow into a directory, a file for each step, for shellcheck to read.

Scripts must not take `${{ … }}`: what GitHub puts there becomes part of the script. They get values by `env`.
"""

import sys
from pathlib import Path

import yaml


def main() -> int:
    directory = Path(sys.argv[2])
    directory.mkdir()
    faults = 0
    workflow = yaml.safe_load(Path(sys.argv[1]).read_text())
    for job_name, job in workflow["jobs"].items():
        for number, step in enumerate(job["steps"]):
            script = step.get("run")
            if script is None:
                continue
            if "${{" in script:
                print(f"{job_name}, step {number}: an expression in a script")
                faults += 1
            names = {**workflow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
            # As GitHub runs it: with these variables, and ending at the first failure.
            head = ["set -eo pipefail"] + [f"export {name}=${{{name}:-}}" for name in names]
            (directory / f"{job_name}-{number}.sh").write_text("\n".join([*head, script]) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
