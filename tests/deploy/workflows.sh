#!/usr/bin/env bash
# .github: schemas, the security of workflows, and the shell scripts in them. Nothing here can run a workflow.
set -euo pipefail
. tests/deploy/verdicts.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passes check-jsonschema .github/workflows check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
passes check-jsonschema .github/dependabot.yml check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
passes zizmor '.github, --offline --pedantic' zizmor --offline --pedantic --quiet .github
for workflow in .github/workflows/*.yml; do
    name=$(basename "$workflow" .yml)
    passes python "$workflow, its scripts" python tests/deploy/workflow_scripts.py "$workflow" "$work/$name"
    passes shellcheck "$workflow, its scripts" shellcheck --shell=bash "$work/$name"/*.sh
done
finish
