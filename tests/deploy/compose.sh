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
with_history() {
    docker-compose --file "$compose/compose.yaml" --env-file "$work/env" --profile history config --format json >"$work/history.json"
}
passes docker-compose "$compose, the profile history" with_history
passes python "$compose, what they come to" python tests/deploy/composition.py "$work"/{demo,key-given,history}.json "$work/key.json"

# Grafana's start script, in a root directory with nothing but busybox and a program that stands in for Grafana.
start_grafana() {
    chroot "$work/grafana" /bin/sh /start.sh
}
first_and_second_start() {
    local root=$work/grafana first
    mkdir -p "$root"/{bin,dev,var/lib/grafana}
    cp "$(command -v busybox)" "$root/bin/busybox"
    for applet in sh base64 cat chmod head mv; do
        ln -sf busybox "$root/bin/$applet"
    done
    mknod -m 666 "$root/dev/urandom" c 1 9
    cp "$compose/grafana/start.sh" "$root/start.sh"
    printf '#!/bin/sh\ncat /var/lib/grafana/admin-password\n' >"$root/run.sh"
    chmod +x "$root/run.sh"
    first=$(start_grafana) || return 1
    [[ $first =~ ^[A-Za-z0-9+/]{24}$ ]] || { echo "the password is '$first'" && return 1; }
    [[ $(start_grafana) == "$first" ]] || { echo 'the second start made another password' && return 1; }
    [[ $(stat --format %a "$root/var/lib/grafana/admin-password") == 600 ]] || { echo 'others can read it' && return 1; }
}
if [[ $(id -u) -eq 0 ]]; then
    passes busybox "$compose/grafana/start.sh makes a password, once" first_and_second_start
else
    not_checked busybox "$compose/grafana/start.sh makes a password, once" 'chroot needs root'
fi

# Prometheus as the container sees it.
cp "$compose/prometheus.yml" "$work/prometheus.yml"
cp -r deploy/prometheus/rules "$work"
passes promtool "$compose/prometheus.yml" promtool check config "$work/prometheus.yml"
finish
