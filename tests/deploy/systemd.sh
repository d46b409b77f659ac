#!/usr/bin/env bash
# The units, with and without the drop-in, in a root directory of their own; and the system calls that the exporter makes.
set -euo pipefail
. tests/deploy/verdicts.sh

units=deploy/systemd
service=google_analytics_exporter.service
# systemd-analyze counts in tenths.
threshold=15
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{etc,usr/lib}/systemd/system "$root/usr/bin" "$root/bin"
cp -r /usr/lib/systemd/system "$root/usr/lib/systemd/" 2>/dev/null || cp -r /lib/systemd/system "$root/usr/lib/systemd/"
ln -s usr/lib "$root/lib"
cp "$units"/*.service "$units"/*.socket "$units"/*.timer "$root/etc/systemd/system"
# Any program does: they are looked for, not run.
for program in usr/bin/google_analytics_exporter bin/kill bin/sh; do
    install -m 755 /bin/true "$root/$program"
done

units_pass() {
    passes_silently systemd-analyze "verify, $1" \
        systemd-analyze --no-pager verify --root="$root" "$service" google_analytics_exporter.socket
    passes systemd-analyze "security, $1" systemd-analyze --no-pager security --offline=true --root="$root" \
        --threshold="$threshold" "$service"
    systemd-analyze --no-pager security --offline=true --root="$root" "$service" | sed -n 's/^→ /    /p'
}
units_pass "$units"
mkdir "$root/etc/systemd/system/$service.d"
cp "$units/examples/without-socket.conf" "$root/etc/systemd/system/$service.d/"
units_pass "$units/examples/without-socket.conf"
rm -r "$root/etc/systemd/system/$service.d"

nightly=google_analytics_sync.service
passes_silently systemd-analyze "verify, $units/$nightly and its timer" \
    systemd-analyze --no-pager verify --root="$root" "$nightly" google_analytics_sync.timer
passes systemd-analyze "security, $units/$nightly" systemd-analyze --no-pager security --offline=true --root="$root" \
    --threshold="$threshold" "$nightly"
passes systemd-analyze "calendar, $units/google_analytics_sync.timer" \
    systemd-analyze calendar "$(sed -n 's/^OnCalendar=//p' "$units/google_analytics_sync.timer")"

passes strace "the system calls that $service allows" \
    python tests/deploy/system_calls.py "$units/$service" "$EXPORTER"
finish
