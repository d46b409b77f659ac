#!/usr/bin/env bash
# Checks everything in deploy/ and what belongs to it, each with a real tool. `make deploy-files` runs it.
#   check.sh [SUBJECT…]      all, or some of: prometheus compose image systemd boot kubernetes chart workflows debian agreement
set -euo pipefail
cd "$(dirname "$0")/../.."

# What prepare.sh has got goes before what is installed.
export PATH=$PWD/target/deploy/programs:$PWD/target/deploy/cargo/bin:$PWD/target/deploy/venv/bin:$PATH
export EXPORTER=${E2E_EXPORTER:-$PWD/target/dist/google_analytics_exporter}

subjects=("$@")
[[ $# -gt 0 ]] || subjects=(prometheus compose image systemd boot kubernetes chart workflows debian agreement)
failed=()
for subject in "${subjects[@]}"; do
    "tests/deploy/$subject.sh" || failed+=("$subject")
done
echo "subjects of deploy/: $((${#subjects[@]} - ${#failed[@]})) passed, ${#failed[@]} failed${failed[*]:+: ${failed[*]}}"
[[ ${#failed[@]} -eq 0 ]]
