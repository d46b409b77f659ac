#!/usr/bin/env bash
# Runs targets of make in lanes: the lanes side by side, the targets of a lane one after the other. What they need must be built
# before, since builds do not run side by side. Prints the output of each target when it ends, and how long each took.
#   lanes.sh 'TARGET…' 'TARGET…' …
set -euo pipefail
cd "$(dirname "$0")/.."

logs=target/lanes
rm -rf "$logs"
mkdir -p "$logs"

# Goes on after a failure: one run shows everything that is wrong.
lane() {
    local target began verdict
    for target in $1; do
        began=$(date +%s)
        verdict=passed
        make --no-print-directory "$target" >"$logs/$target.log" 2>&1 </dev/null || verdict=FAILED
        printf '%s %s %s\n' "$target" "$(($(date +%s) - began))" "$verdict" >>"$logs/times"
        # One at a time, so that two outputs do not mix. The inner shell expands its own arguments.
        # shellcheck disable=SC2016
        flock "$logs" sh -c 'echo "=== make $1: $2"; cat "$3"' - "$target" "$verdict" "$logs/$target.log"
    done
}

for targets in "$@"; do
    lane "$targets" &
done
wait
echo '=== seconds by target'
sort -k 2 -n -r "$logs/times" | awk '{ printf "%6d %-14s %s\n", $2, $1, $3 }'
! grep -q ' FAILED$' "$logs/times"
