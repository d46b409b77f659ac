#!/usr/bin/env bash
# deploy/compose: as the demo and with a key. Docker Compose resolves the files; nothing is started, since there is no engine.
set -euo pipefail
. tests/deploy/verdicts.sh

compose=deploy/compose
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passes check-jsonschema "$compose" check-jsonschema --builtin-schema vendor.compose-spec "$compose"/{compose,exporter}.yaml
passes shellcheck "$compose/grafana/start.sh" shellcheck "$compose/grafana/start.sh"
passes hadolint deploy/docker/Dockerfile hadolint deploy/docker/Dockerfile

resolve() {
    docker-compose --file "$compose/compose.yaml" --env-file "$1" config --format json >"$2"
}
touch "$work/key.json"
echo "GOOGLE_ANALYTICS_KEY_FILE=$work/key.json" >"$work/env"
unset GOOGLE_ANALYTICS_KEY_FILE
passes docker-compose "$compose, the demo" resolve "$compose/.env.example" "$work/demo.json"
passes docker-compose "$compose, with a key" resolve "$work/env" "$work/key-given.json"
passes python "$compose, what both come to" python tests/deploy/composition.py "$work/demo.json" "$work/key-given.json" "$work/key.json"

# Prometheus as the container sees it.
cp "$compose/prometheus.yml" "$work/prometheus.yml"
cp -r deploy/prometheus/rules "$work"
passes promtool "$compose/prometheus.yml" promtool check config "$work/prometheus.yml"
finish
