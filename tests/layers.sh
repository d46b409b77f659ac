#!/usr/bin/env bash
# Checks that the crates which decide stay without hands: none of what they are made of talks to a network, runs tasks or logs.
set -euo pipefail
cd "$(dirname "$0")/.."

hands='tokio|reqwest|hyper|hyper-util|rustls|tracing|rustix|socket2|gcp_auth|ga4-simulator|google_analytics_exporter'

# crates CRATE: what it is made of, one a line.
crates() {
    cargo tree --locked --edges normal --prefix none --format '{p}' --package "$1" | cut -d ' ' -f 1 | sort -u
}

for crate in ga4-exporter-core ga4-drop-baseline; do
    if crates "$crate" | grep -Ex "$hands"; then
        echo "$crate must not depend on the above: what decides has no hands (docs in src/lib.rs)." >&2
        exit 1
    fi
done
if crates ga4-simulator | grep -Ex 'ga4-exporter-core|google_analytics_exporter'; then
    echo "ga4-simulator must share no type with the program, or an error could be made twice in the same way." >&2
    exit 1
fi
