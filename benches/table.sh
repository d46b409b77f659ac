#!/usr/bin/env bash
# Prints the table of the last `make bench`, with the machine that it was measured on.
#   table.sh           prints it
#   table.sh --renew   also puts it into docs/PERFORMANCE.md, in place of the one that is there
set -euo pipefail
cd "$(dirname "$0")/.."

rows=${CARGO_TARGET_DIR:-target}/bench
document=docs/PERFORMANCE.md

table() {
    echo "$(nproc) × $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)," \
        "$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo) GiB," \
        "Linux $(uname -r | cut -d - -f 1), $(rustc --version | cut -d ' ' -f 1,2), $(date -u +%F):"
    echo
    echo '| figure | measured | target | met |'
    echo '|---|---|---|---|'
    cat "$rows"/*.md
}

table
if [[ ${1:-} == --renew ]]; then
    renewed=$(
        sed '/^<!-- begin -->$/q' "$document"
        table
        sed -n '/^<!-- end -->$/,$p' "$document"
    )
    printf '%s\n' "$renewed" >"$document"
fi
