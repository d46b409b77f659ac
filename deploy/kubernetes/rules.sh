#!/usr/bin/env bash
# Prints deploy/prometheus/rules as PrometheusRule objects, one for each file: kustomize cannot put a file below a key.
#   deploy/kubernetes/rules.sh >deploy/kubernetes/base/prometheusrules.yaml
set -euo pipefail
cd "$(dirname "$0")/../prometheus/rules"

echo '# Made from deploy/prometheus/rules by deploy/kubernetes/rules.sh. Change the rules there.'
for file in *.yml; do
    name=$(basename "$file" .yml)
    cat <<EOF
---
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: ${name//_/-}
spec:
EOF
    sed 's/^\(.\)/  \1/' "$file"
done
