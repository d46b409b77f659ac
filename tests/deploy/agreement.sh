#!/usr/bin/env bash
# What is said in several files must be the same in all: versions, and the flags of the exporter.
set -euo pipefail
. tests/deploy/verdicts.sh

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
compiler=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
chart=deploy/helm/google-analytics-exporter

says() {
    grep -qE -- "$2" "$1" || {
        echo "$1 has no line like: $2"
        return 1
    }
}
versions() {
    says "$chart/Chart.yaml" "^version: $version$" &&
        says "$chart/Chart.yaml" "^appVersion: $version$" &&
        says deploy/kubernetes/base/kustomization.yaml "newTag: $version$" &&
        says debian/changelog "^google-analytics-exporter \($version-1\)"
}
compilers() {
    says deploy/docker/Dockerfile "^ARG RUST_IMAGE=docker.io/library/rust:$compiler(\.[0-9]+)?-alpine" &&
        says .github/workflows/ci.yml "image: docker.io/library/rust:$compiler(\.[0-9]+)?-bookworm" &&
        says .github/workflows/release.yml "rustup toolchain install $compiler(\.[0-9]+)? "
}
# Every flag that the files give to the exporter is one that it has.
flags() {
    local flag help unknown=0
    help=$("$EXPORTER" --help)
    while read -r flag; do
        grep -qE -- "$flag( |$)" <<<"$help" || {
            echo "the exporter has no flag $flag"
            unknown=1
        }
    done < <(grep -ohE -- '--(config|google|storage|web|log|shard)[a-z.-]*' deploy/systemd/*.service deploy/systemd/examples/* deploy/systemd/*.default \
        deploy/compose/exporter.yaml deploy/kubernetes/base/deployment.yaml deploy/kubernetes/overlays/sharded/statefulset.yaml \
        "$chart"/templates/workload.yaml "$chart"/ci/*.yaml | sort -u)
    return "$unknown"
}
passes grep "version $version" versions
passes grep "Rust $compiler" compilers
passes exporter 'its flags in deploy/' flags
finish
