#!/usr/bin/env bash
# The configurations of Prometheus and Alertmanager. tests/rules/check.sh checks the rules.
set -euo pipefail
. tests/deploy/verdicts.sh

for file in deploy/prometheus/prometheus.yml deploy/prometheus/prometheus-probe.yml; do
    passes promtool "$file" promtool check config --lint=all --lint-fatal "$file"
done
passes amtool deploy/prometheus/alertmanager.yml amtool check-config deploy/prometheus/alertmanager.yml

# What is commented out there must be right as well.
commented=$(mktemp -d)
trap 'rm -rf "$commented"' EXIT
cp -r deploy/prometheus/rules "$commented"
sed -E 's/^      # (- source_labels|  [a-z_]+:)/      \1/' deploy/prometheus/prometheus-probe.yml >"$commented/prometheus.yml"
passes promtool 'prometheus-probe.yml, what is commented out' promtool check config "$commented/prometheus.yml"
passes grep 'prometheus-probe.yml, its three examples' \
    test "$(grep -cE '^ *action: (drop|hashmod|keep)' "$commented/prometheus.yml")" = 3
finish
