#!/usr/bin/env bash
# The Helm chart, rendered with each file of ci/. Not by Helm, which cannot be had from Debian, PyPI, npm or crates.io, but by
# chart/main.go with the libraries that Helm is built on.
set -euo pipefail
. tests/deploy/verdicts.sh

chart=deploy/helm/google-analytics-exporter
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compile() {
    (cd tests/deploy/chart && GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' go build -o "$work/chart" .)
}
render() {
    "$work/chart" "$chart" release monitoring "$1" >"$2"
}
refuses() {
    ! "$@" >"$work/refused" 2>&1
}
passes go tests/deploy/chart compile
passes check-jsonschema "$chart/values.schema.json" check-jsonschema --check-metaschema "$chart/values.schema.json"
passes check-jsonschema "$chart/values.yaml and ci" \
    check-jsonschema --schemafile "$chart/values.schema.json" "$chart/values.yaml" "$chart"/ci/*.yaml
for values in "$chart"/ci/*.yaml; do
    name=$(basename "$values" -values.yaml)
    passes 'go text/template' "$chart, $name" render "$values" "$work/$name.yaml"
    passes kubernetes-validate "$chart, $name" kubernetes-validate --strict --quiet --no-warn "$work/$name.yaml"
    passes python "$chart, $name, operator and pod security" python tests/deploy/objects.py "$work/$name.yaml"
done
passes python "$chart, shards and replicas" python tests/deploy/shards.py "$work/sharded.yaml"
passes diff "$chart, the rules of deploy/prometheus/rules" python tests/deploy/chart_rules.py "$work/default.yaml"

passes python "$chart, kube-prometheus-stack, the label release" \
    python tests/deploy/released.py "$work/kube-prometheus-stack.yaml" kube-prometheus-stack

# A configuration that the exporter refuses is no use in a ConfigMap.
for name in default sharded; do
    python tests/deploy/configuration.py "$work/$name.yaml" >"$work/$name-configuration.yml"
    passes exporter "$chart, $name, --config.check" "$EXPORTER" --config.check --config.file="$work/$name-configuration.yml"
done

echo '{demo: true, shards: 2}' >"$work/wrong.yaml"
passes 'go text/template' "$chart, refuses a demo with shards" refuses render "$work/wrong.yaml" "$work/wrong-objects.yaml"
echo '{shards: 0, prometheusRule: {runbook: x}}' >"$work/wrong.yaml"
passes check-jsonschema "$chart, refuses values that it does not know" \
    refuses check-jsonschema --schemafile "$chart/values.schema.json" "$work/wrong.yaml"
finish
