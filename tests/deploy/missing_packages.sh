#!/usr/bin/env bash
# Prints the Debian packages that the checks of deploy/ need and that are not here, one a line. tests/e2e/prepare.sh installs them.
set -euo pipefail

libraries_of_go=/usr/share/gocode/src

static_busybox() {
    local program
    program=$(command -v busybox) && ! ldd "$program" >/dev/null 2>&1
}

command -v buildah >/dev/null || echo buildah
static_busybox || echo busybox-static
[[ -e /etc/ssl/certs/ca-certificates.crt ]] || echo ca-certificates
command -v curl >/dev/null || echo curl
command -v lintian >/dev/null || echo lintian
command -v groff >/dev/null || echo groff-base
command -v systemd-analyze >/dev/null || echo systemd
command -v unshare >/dev/null || echo util-linux
command -v strace >/dev/null || echo strace
command -v go >/dev/null || echo golang-go
[[ -d $libraries_of_go/github.com/Masterminds/sprig ]] || echo golang-github-masterminds-sprig-dev
[[ -d $libraries_of_go/sigs.k8s.io/yaml ]] || echo golang-k8s-sigs-yaml-dev
