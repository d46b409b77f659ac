#!/usr/bin/env bash
# Runs under the systemd that boot.sh starts, and writes its answers to /answers, a file each.
set -uo pipefail
cd /answers || exit 1
service=google_analytics_exporter.service
nightly=google_analytics_sync.service
configuration=/etc/google_analytics_exporter/google_analytics_exporter.yml
touch began

property() {
    systemctl show --property "$1" --value "$service"
}
keep_journal() {
    journalctl --no-pager --output cat --unit "$service" --unit google_analytics_exporter.socket --unit "$nightly" >journal 2>&1
}
# Whether the process has a flag.
has_flag() {
    tr '\0' '\n' <"/proc/$(property MainPID)/cmdline" | grep -xF -e "$1"
}
# Whether a scrape has figures of a property: 1, or 0 after half a minute.
scrape() {
    local _
    for _ in $(seq 300); do
        if [[ $(curl --silent --max-time 30 http://127.0.0.1:9674/metrics) == *google_analytics_realtime_pageviews\{* ]]; then
            echo 1
            return
        fi
        sleep 0.1
    done
    echo 0
}
# A sign of life is a new time, of the same process.
sign_of_life() {
    local process first now
    process=$(property MainPID)
    first=$(property WatchdogTimestampMonotonic)
    for _ in $(seq 300); do
        now=$(property WatchdogTimestampMonotonic)
        if [[ $(property MainPID) != "$process" ]]; then
            echo 'ended by the watchdog'
            return
        elif [[ -n $first && $first != 0 && $now != "$first" ]]; then
            echo alive
            return
        fi
        sleep 0.1
    done
    echo "silent since $first"
}
confinement() {
    local process user
    process=$(property MainPID)
    field() { sed -n "s/^$1:\t\([^\t]*\).*/\1/p" "/proc/$process/status"; }
    user=$(field Uid)
    echo "user $([[ $user -gt 0 ]] && echo other || echo root), capabilities $(field CapEff), seccomp $(field Seccomp)"
}

systemctl is-active "$service" >active
if [[ $(<active) != active ]]; then
    keep_journal
    exit
fi
scrape >scraped
has_flag --log.level=debug >flags
confinement >confined
sign_of_life >watchdog
systemctl reload "$service"
systemctl is-active "$service" >reloaded
property NRestarts >restarts
systemctl restart --no-block "$service"
scrape >scraped-while-restarting
# What somebody does who has made a mistake: restart it, look whether it answers, and correct the mistake.
cp "$configuration" configuration-without-mistake
echo 'mistake: 1' >>"$configuration"
systemctl restart "$service" 2>/dev/null
property ExecMainStatus >mistaken
for _ in $(seq 30); do
    curl --silent --max-time 10 --output /dev/null http://127.0.0.1:9674/metrics
done
systemctl is-active google_analytics_exporter.socket >socket-after-mistakes
cp configuration-without-mistake "$configuration"
scrape >scraped-after-correction
systemctl stop google_analytics_exporter.socket "$service" 2>/dev/null
echo "$(property ActiveState) $(property Result)" >stopped
if [[ -n $(ls /var/lib/private/google_analytics_exporter) ]]; then echo kept; else echo lost; fi >state
# The key is empty and Google is not there, so that it ends at once.
systemctl start "$nightly" 2>/dev/null
systemctl show --property ExecMainStatus --value "$nightly" >nightly-status
textfiles=/var/lib/prometheus/node-exporter
echo "$(ls -A "$textfiles") $(stat --format %a "$textfiles"/*) $(grep -h '^google_analytics_sync_last_run' "$textfiles"/*)" >nightly-metrics
keep_journal
