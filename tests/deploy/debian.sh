#!/usr/bin/env bash
# The Debian package, made by cargo-deb from the binary that is there.
set -euo pipefail
. tests/deploy/verdicts.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
package=$work/package.deb

contains() {
    local path files
    files=$(dpkg-deb --contents "$package" | awk '{print $6}')
    for path in "$@"; do
        grep -qxF "./$path" <<<"$files" || {
            echo "$path is not in the package"
            return 1
        }
    done
}

are_conffiles() {
    local path conffiles
    conffiles=$(dpkg-deb --info "$package" conffiles)
    for path in "$@"; do
        grep -qxF "$path" <<<"$conffiles" || {
            echo "an upgrade would overwrite $path"
            return 1
        }
    done
}

passes_silently groff debian/google_analytics_exporter.1 groff -man -Tutf8 -ww -z debian/google_analytics_exporter.1
passes cargo-deb Cargo.toml cargo deb --profile dist --locked --no-build --no-strip --output "$package"
passes dpkg-deb 'the Debian package, its files' contains \
    usr/bin/google_analytics_exporter \
    usr/lib/systemd/system/google_analytics_exporter.service \
    usr/lib/systemd/system/google_analytics_exporter.socket \
    usr/lib/systemd/system/google_analytics_sync.service \
    usr/lib/systemd/system/google_analytics_sync.timer \
    etc/google_analytics_exporter/google_analytics_exporter.yml \
    etc/default/google_analytics_exporter \
    usr/share/google_analytics_exporter/rules/google_analytics_traffic.yml \
    usr/share/google_analytics_exporter/dashboards/overview.json \
    usr/share/doc/google-analytics-exporter/DEPLOYMENT.md
passes dpkg-deb 'the Debian package, its conffiles' are_conffiles \
    /etc/google_analytics_exporter/google_analytics_exporter.yml /etc/default/google_analytics_exporter
# It closes no bug in Debian's tracker: it is not a package of Debian's.
passes lintian 'the Debian package' lintian --allow-root --fail-on error,warning \
    --suppress-tags initial-upload-closes-no-bugs "$package"
finish
