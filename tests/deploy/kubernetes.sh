#!/usr/bin/env bash
# deploy/kubernetes, as kustomize puts it together. There is no cluster: schemas are what it is measured by.
set -euo pipefail
. tests/deploy/verdicts.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passes diff 'base/prometheusrules.yaml against deploy/prometheus/rules' \
    diff <(deploy/kubernetes/rules.sh) deploy/kubernetes/base/prometheusrules.yaml

# Where the key would be, is an empty file: in a copy, so that none is ever in the tree.
mkdir -p "$work/deploy"
cp -r deploy/kubernetes "$work/deploy"
cp -r dashboards "$work"
echo '{}' >"$work/deploy/kubernetes/overlays/secret-from-file/key.json"

build() {
    kubectl kustomize "$work/deploy/kubernetes/$1" >"$2"
}
for directory in base overlays/sharded overlays/secret-from-file overlays/kube-prometheus-stack overlays/sync; do
    objects=$work/${directory//\//-}.yaml
    passes 'kubectl kustomize' "deploy/kubernetes/$directory" build "$directory" "$objects"
    passes kubernetes-validate "deploy/kubernetes/$directory" kubernetes-validate --strict --quiet --no-warn "$objects"
    passes python "deploy/kubernetes/$directory, operator and pod security" python tests/deploy/objects.py "$objects"
done
# Every object that Prometheus selects by labels, and no other one.
selected() {
    python tests/deploy/released.py "$1" kube-prometheus-stack
}
passes python 'deploy/kubernetes/overlays/kube-prometheus-stack, the label release' \
    selected "$work/overlays-kube-prometheus-stack.yaml"
# A configuration that the exporter refuses is no use in a ConfigMap.
python tests/deploy/configuration.py "$work/base.yaml" >"$work/configuration.yml"
passes exporter 'deploy/kubernetes/base, --config.check' "$EXPORTER" --config.check --config.file="$work/configuration.yml"
passes python 'deploy/kubernetes/overlays/sharded, shards and replicas' \
    python tests/deploy/shards.py "$work/overlays-sharded.yaml"
finish
