#!/usr/bin/env bash
# Gets the programs that the end-to-end tests need: on Debian as root by installing them, elsewhere by naming them. Python
# packages go into target/e2e/venv, those of Node.js into target/e2e/node. The second time there is nothing left to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/e2e/venv
requirements=tests/e2e/requirements.txt
node=target/e2e/node

# The Debian packages of what cannot be run here, one a line.
missing_packages() {
    command -v prometheus >/dev/null || echo prometheus
    # In Debian 12 a part of the package before; later one of its own.
    if ! command -v promtool >/dev/null; then
        if apt-cache show promtool >/dev/null 2>&1; then echo promtool; else echo prometheus; fi
    fi
    command -v prometheus-alertmanager >/dev/null && command -v amtool >/dev/null || echo prometheus-alertmanager
    python3 -c 'import ensurepip, venv' >/dev/null 2>&1 || echo python3-venv
    command -v node >/dev/null || echo nodejs
    command -v npm >/dev/null || echo npm
    command -v chromium >/dev/null || echo chromium
    command -v systemd-socket-activate >/dev/null || echo systemd
    # Debian has the server's programs in a directory of their version, beside the path.
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || echo postgresql
    command -v sqlite3 >/dev/null || echo sqlite3
    command -v openssl >/dev/null || echo openssl
    tests/deploy/missing_packages.sh
}

can_install() {
    [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null
}

# Without starting a service: the tests start their own Prometheus.
install_packages() {
    local policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        # The path is wanted as it is now.
        # shellcheck disable=SC2064
        trap "rm -f '$policy'" EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -y -q --no-install-recommends "$@"
}

say_what_is_missing() {
    {
        echo "The end-to-end tests need programs that are not installed: $*"
        echo "These are the names of Debian's packages. As root on Debian 'make test' installs them:"
        echo "    apt-get install --no-install-recommends $*"
        echo "SKIP_E2E=1 leaves the end-to-end tests out."
    } >&2
}

# What drives the browser.
install_node_packages() {
    local name changed=0
    mkdir -p "$node"
    for name in package.json package-lock.json; do
        cmp -s "tests/e2e/browser/$name" "$node/$name" || changed=1
        cp "tests/e2e/browser/$name" "$node/$name"
    done
    if [[ $changed -eq 1 || ! -d $node/node_modules ]]; then
        npm ci --prefix "$node" --ignore-scripts --no-audit --no-fund --silent
    fi
}

mapfile -t packages < <(missing_packages | sort -u)
if [[ ${#packages[@]} -gt 0 ]]; then
    if ! can_install; then
        say_what_is_missing "${packages[@]}"
        exit 1
    fi
    install_packages "${packages[@]}" </dev/null
fi
tests/virtual_environment.sh "$venv" "$requirements" </dev/null
install_node_packages </dev/null
