#!/usr/bin/env bash
# Checks the alert rules, their tests, the examples that use them and the texts that speak of them.
set -euo pipefail
cd "$(dirname "$0")/../.."

rules=(deploy/prometheus/rules/*.yml)
alertmanager=deploy/prometheus/alertmanager.yml

missing_programs() {
    local program
    for program in promtool amtool; do
        command -v "$program" >/dev/null || echo "$program"
    done
}

# Prints nothing while all is well.
quietly() {
    local output
    if ! output=$("$@" 2>&1); then
        echo "$* says:"
        echo "$output"
        return 1
    fi
}

goes_to() {
    local receiver=$1
    shift
    quietly amtool config routes test --config.file="$alertmanager" --verify.receivers="$receiver" "$@"
}

routes() {
    goes_to on-call alertname=GoogleAnalyticsTrafficDrop severity=critical property_id=7 team=web
    goes_to tickets alertname=GoogleAnalyticsTrafficDrop severity=warning property_id=7
    goes_to nobody alertname=GoogleAnalyticsTrafficDrop severity=info property_id=7
    goes_to nobody alertname=GoogleAnalyticsNoTraffic severity=none property_id=7
    goes_to on-call alertname=GoogleAnalyticsTrafficDropEverywhere severity=critical job=google_analytics
    goes_to on-call alertname=GoogleAnalyticsExporterDown severity=critical
    goes_to tickets alertname=GoogleAnalyticsStale severity=warning property_id=7
    goes_to nobody alertname=GoogleAnalyticsBaselineUnfit severity=info property_id=7
    # Alerts of others go where they went before.
    goes_to tickets alertname=DiskFull severity=critical
    goes_to tickets alertname=Watchdog severity=none
}

# Every alert has an entry in the runbook, where its link leads, and a line in the README; and there are no others.
texts() {
    local alerts entries links lines
    alerts=$(sed -n 's/^ *- alert: //p' "${rules[@]}" | sort)
    entries=$(sed -n 's/^## \(GoogleAnalytics.*\)/\1/p' docs/RUNBOOK.md | sort)
    lines=$(sed -n "s/^| \[\(GoogleAnalytics[A-Za-z]*\)\](.*/\1/p" README.md | sort)
    links=$(sed -n 's|^ *runbook_url: docs/RUNBOOK.md#||p' "${rules[@]}" | sort)
    quietly diff <(echo "$alerts") <(echo "$entries")
    quietly diff <(echo "$alerts") <(echo "$lines")
    quietly diff <(echo "$alerts" | tr '[:upper:]' '[:lower:]') <(echo "$links")
}

mapfile -t missing < <(missing_programs)
if [[ ${#missing[@]} -gt 0 ]]; then
    echo "not installed: ${missing[*]}; the alert rules are not checked" >&2
    [[ ${SKIP_E2E:-} == 1 ]]
    exit
fi
quietly promtool check rules --lint=all --lint-fatal "${rules[@]}"
quietly promtool check config deploy/prometheus/prometheus.yml
quietly promtool test rules tests/rules/*_test.yml
quietly amtool check-config "$alertmanager"
routes
texts
echo "${#rules[@]} files of rules are well"
