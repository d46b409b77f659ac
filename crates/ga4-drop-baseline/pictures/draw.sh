#!/usr/bin/env bash
# Draws docs/images/drop-timeline.svg, drop-delay-recall.svg and backtest.svg, with the detector of this tree.
set -euo pipefail
cd "$(dirname "$0")/../../.."

here=crates/ga4-drop-baseline/pictures
venv=target/pictures/venv
exporter=${E2E_EXPORTER:?the program that replays a made-up shop}

tests/virtual_environment.sh "$venv" "$here/requirements.txt"
cargo run --locked --quiet --package ga4-drop-baseline --example timeline >target/pictures/timeline.csv
"$venv/bin/python" "$here/draw.py" target/pictures/timeline.csv "$exporter" docs/images
