#!/usr/bin/env bash
# Gets what the checks of deploy/ need beside Debian's packages: tools from PyPI, cargo-deb, and kubectl and Docker Compose, which
# Debian 12 has too old or not at all. The last two are taken from the packages of Debian 13 and only unpacked, below target/. The second time
# there is nothing left to do.
set -euo pipefail
cd "$(dirname "$0")/../.."

venv=target/deploy/venv
requirements=tests/deploy/requirements.txt
programs=target/deploy/programs
cargo=target/deploy/cargo
cargo_deb=3.8.0

# kustomize 5 is in kubectl since 1.27.
kubectl_is_new() {
    kubectl version --client 2>/dev/null | grep '^Kustomize Version: v5' >/dev/null
}

compose_is_new() {
    local version
    version=$(docker-compose version --short 2>/dev/null) && dpkg --compare-versions "${version#v}" ge 2.26
}

# take PACKAGE PATH-IN-IT PROGRAM
take() {
    local package=$1 path=$2 program=$3 work
    work=$(mktemp -d)
    # The path is wanted as it is now.
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    debian_13 "$work" update -q
    (cd "$work" && debian_13 "$work" download -q "$package/trixie")
    dpkg-deb --extract "$work/$package"_*.deb "$work/files"
    install -D -m 755 "$work/files/$path" "$programs/$program"
    rm -rf "$work"
}

# apt-get with the packages of Debian 13 from the mirror that is set up, and with lists and a cache of its own.
debian_13() {
    local work=$1 mirror
    shift
    # apt puts the address there, not the shell.
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep '/debian/$' | head -n 1)
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?no mirror of Debian is set up} trixie main" \
        >"$work/sources.list"
    apt-get -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=- -o "Dir::State::Lists=$work/lists" \
        -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root "$@"
}

export PATH=$PWD/$programs:$PATH
tests/virtual_environment.sh "$venv" "$requirements" </dev/null
if [[ $("$cargo/bin/cargo-deb" --version 2>/dev/null) != "$cargo_deb" ]]; then
    cargo install --quiet --locked "cargo-deb@$cargo_deb" --root "$cargo"
fi
for wanted in kubectl compose; do
    "${wanted}_is_new" && continue
    if ! command -v apt-get >/dev/null; then
        echo "The checks of deploy/ need kubectl 1.27 and docker-compose 2.26 or newer; SKIP_E2E=1 leaves them out." >&2
        exit 1
    fi
    case $wanted in
        kubectl) take kubectl usr/bin/kubectl kubectl ;;
        compose) take docker-compose usr/libexec/docker/cli-plugins/docker-compose docker-compose ;;
    esac
done
