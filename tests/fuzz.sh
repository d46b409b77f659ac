#!/usr/bin/env bash
# Runs the property tests on what others write again and again, each time with other input, for FUZZ_SECONDS: an hour.
set -euo pipefail
cd "$(dirname "$0")/.."

export PROPTEST_CASES=${PROPTEST_CASES:-5000}
end=$((SECONDS + ${FUZZ_SECONDS:-3600}))
rounds=0
while ((SECONDS < end)); do
    cargo test --quiet --locked --workspace --lib --test config --test fuzz --test http -- \
        any no_bytes no_rows no_answer a_broken_example
    rounds=$((rounds + 1))
done
echo "$rounds rounds of $PROPTEST_CASES cases a test"
