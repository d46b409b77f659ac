#!/usr/bin/env bash
# Checks that the pure crates stay pure: none of their dependencies uses the network, runs tasks or logs.
set -euo pipefail
cd "$(dirname "$0")/.."

impure='tokio|reqwest|hyper|hyper-util|rustls|tracing|rustix|socket2|gcp_auth|ga4-simulator|google_analytics_exporter'

# crates CRATE: its normal dependencies, one a line.
crates() {
    cargo tree --locked --edges normal --prefix none --format '{p}' --package "$1" | cut -d ' ' -f 1 | sort -u
}

for crate in ga4-exporter-core ga4-drop-baseline; do
    if crates "$crate" | grep -Ex "$impure"; then
        echo "$crate must not depend on the crates above: it only computes (see src/lib.rs)." >&2
        exit 1
    fi
done
if crates ga4-simulator | grep -Ex 'ga4-exporter-core|google_analytics_exporter'; then
    echo "ga4-simulator must share no type with the program, or an error could be made twice in the same way." >&2
    exit 1
fi
