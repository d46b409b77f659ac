#!/usr/bin/env bash
# Checks the dashboards: their rules, Grafana's types, the answers to made-up series, and every query against a real
# Prometheus that has scraped the demo of the exporter which E2E_EXPORTER names.
set -euo pipefail
cd "$(dirname "$0")/../.."

export PYTHONDONTWRITEBYTECODE=1
python=${E2E_PYTHON:-target/e2e/venv/bin/python}
schema=target/dashboards/schema

# The programs among these that cannot be run.
missing() {
    local program
    for program in "$@"; do
        case $program in
        promql-parser) "$python" -c 'import promql_parser' 2>/dev/null || echo "promql-parser of PyPI" ;;
        exporter) [[ -x ${E2E_EXPORTER:-} ]] || echo "an exporter that E2E_EXPORTER names" ;;
        *) command -v "$program" >/dev/null || echo "$program" ;;
        esac
    done
}

# check WHAT COMMAND PROGRAM...: runs the command if the programs are there.
check() {
    local what=$1 command=$2 lacking
    shift 2
    mapfile -t lacking < <(missing "$@")
    if [[ ${#lacking[@]} -eq 0 ]]; then
        "$command"
        return
    fi
    printf 'not checked: %s; missing: %s\n' "$what" "$(printf '%s, ' "${lacking[@]}" | sed 's/, $//')" >&2
    [[ ${SKIP_E2E:-} == 1 ]]
}

# Into target/, as the lock file says, unless it is there already.
install_schema() {
    local wanted
    wanted="$(node --version) $(cksum <tests/dashboards/package-lock.json)"
    if [[ $(cat "$schema/stamp" 2>/dev/null) == "$wanted" ]]; then
        return
    fi
    mkdir -p "$schema"
    cp tests/dashboards/package.json tests/dashboards/package-lock.json "$schema"
    npm ci --prefix "$schema" --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
    echo "$wanted" >"$schema/stamp"
}

check_rules() {
    "$python" tests/dashboards/lint.py
    "$python" tests/dashboards/mistakes.py
}

check_types() {
    install_schema
    node tests/dashboards/schema.mjs "$schema" dashboards/*.json
}

check_answers() {
    "$python" tests/dashboards/answers.py
}

check_queries() {
    "$python" tests/dashboards/queries.py
}

check 'the rules of dashboards' check_rules promql-parser
check 'the types of Grafana' check_types node npm
check 'the answers to made-up series' check_answers promql-parser promtool
check 'the queries against a Prometheus' check_queries promql-parser prometheus promtool exporter
