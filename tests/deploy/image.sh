#!/usr/bin/env bash
# The image, built by the Dockerfile of deploy/ with buildah, which needs no engine. There is no registry to get the real first
# image from, and no musl to link with, so two things stand in: busybox with the system's roots for the image that builds, and
# the release binary for one that is compiled there. That binary is linked to the C library of this machine, which is laid
# over the image for the run, and only for that.
set -euo pipefail
. tests/deploy/verdicts.sh

largest=16500000
image=localhost/google_analytics_exporter:test
work=$(mktemp -d)
containers=()

build_tool() {
    buildah --storage-driver vfs --root "$work/images" --runroot "$work/run" "$@"
}
clean_up() {
    local container
    for container in "${containers[@]}"; do
        build_tool umount "$container" >/dev/null
        build_tool rm "$container" >/dev/null
    done
    rm -rf "$work" target/image
}
trap clean_up EXIT

stand_in() {
    mkdir -p "$work/stand-in/bin" "$work/stand-in/etc/ssl/certs"
    cp "$(command -v busybox)" "$work/stand-in/bin/busybox"
    cp -L /etc/ssl/certs/ca-certificates.crt "$work/stand-in/etc/ssl/certs/"
    printf '%s\n' 'FROM scratch' 'COPY stand-in /' 'RUN ["/bin/busybox", "--install", "-s", "/bin"]' >"$work/Dockerfile"
    build_tool bud --isolation chroot --file "$work/Dockerfile" --tag localhost/stand-in:test "$work"
}
build() {
    mkdir -p target/image
    cp "$EXPORTER" target/image/google_analytics_exporter
    build_tool bud --isolation chroot --pull-never --timestamp 0 --no-cache --file deploy/docker/Dockerfile \
        --build-arg RUST_IMAGE=localhost/stand-in:test --build-arg PREBUILT=target/image/google_analytics_exporter \
        --build-arg VERSION=0.1.0 --build-arg REVISION=test --tag "$1" .
}
same() {
    local one other
    one=$(build_tool inspect --type image --format '{{.FromImageDigest}}' "$1") || return 1
    other=$(build_tool inspect --type image --format '{{.FromImageDigest}}' "$2") || return 1
    [[ $one == "$other" ]] || {
        echo "$one and $other"
        return 1
    }
}
configured() {
    build_tool inspect --type image "$image" | python -c '
import json, sys

image = json.load(sys.stdin)["OCIv1"]["config"]
labels = image["Labels"]
assert image["User"] == "65532:65532", image["User"]
assert image["Entrypoint"] == ["/google_analytics_exporter"], image["Entrypoint"]
assert set(image["ExposedPorts"]) == {"9674/tcp"}, image["ExposedPorts"]
for label in ("title", "description", "licenses", "version", "revision", "source"):
    assert labels["org.opencontainers.image." + label], label
'
}
# No shell, no package manager, nothing but these.
listed() {
    diff - <(cd "$1" && find . -mindepth 1 -printf '%y %m %U %p\n' | sort -k 4) <<'EOF'
d 755 0 ./etc
d 755 0 ./etc/ssl
d 755 0 ./etc/ssl/certs
f 644 0 ./etc/ssl/certs/ca-certificates.crt
f 755 0 ./google_analytics_exporter
d 1777 0 ./tmp
d 755 0 ./var
d 755 0 ./var/lib
d 755 65532 ./var/lib/google_analytics_exporter
EOF
}
# The loader and the libraries that the binary names, in the places where it looks for them.
lay_libraries_over() {
    local library
    for library in $(ldd "$EXPORTER" | grep -oE '/[^ ]+'); do
        install -D -m 755 "$(readlink -f "$library")" "$1$library"
    done
}
run_it() {
    build_tool run --isolation chroot "$container" -- /google_analytics_exporter "$@"
}
# The demo writes its key, polls its Google and answers, as the image's user.
demo() {
    local port process answer=1
    port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    run_it demo --web.listen-address="127.0.0.1:$port" --storage.path=/var/lib/google_analytics_exporter >"$work/log" 2>&1 &
    process=$!
    for _ in $(seq 300); do
        if curl --silent --fail --max-time 5 "http://127.0.0.1:$port/metrics" | grep '^google_analytics_realtime_pageviews{' >"$work/figures"; then
            answer=0
            break
        fi
        kill -0 "$process" 2>/dev/null || break
        sleep 0.1
    done
    end_with_children "$process"
    wait "$process" || true
    [[ $answer -eq 0 ]] || cat "$work/log"
    return "$answer"
}
end_with_children() {
    local child children
    read -ra children <"/proc/$1/task/$1/children" || true
    for child in "${children[@]}"; do
        end_with_children "$child"
    done
    kill "$1" 2>/dev/null || true
}

passes buildah 'the image that stands in' stand_in
passes buildah 'the image' build "$image"
[[ $failed -eq 0 ]] || exit 1
passes buildah 'the image, built once more, is the same' build "$image-again"
passes buildah 'the image, its digest' same "$image" "$image-again"
passes buildah 'the image, its user, entry point and labels' configured

container=$(build_tool from --pull-never "$image")
containers+=("$container")
root=$(build_tool mount "$container")
passes buildah 'the image, its files' listed "$root"
size=$(du --apparent-size --bytes --summarize "$root" | cut -f 1)
passes buildah "the image, $size bytes" at_most "$size" "$largest"
lay_libraries_over "$root"
passes buildah 'the image, --version' run_it --version
passes buildah 'the image, the demo answers' demo
finish
