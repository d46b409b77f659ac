#!/bin/sh
# Makes the password of Grafana's admin at the first start, so that no installation has a known one. It stays in Grafana's
# volume, beside the database that it belongs to.
set -eu
password=/var/lib/grafana/admin-password
if [ ! -s "$password" ]; then
    umask 077
    head -c 18 /dev/urandom | base64 >"$password.new"
    mv "$password.new" "$password"
fi
exec /run.sh "$@"
