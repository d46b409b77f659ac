#!/usr/bin/env bash
# Draws docs/images/dashboard-*.png. Takes half an hour, since it records the demo first; what was recorded stays in
# target/dashboards/recording and is drawn again the next time. Remove it for a new one.
set -euo pipefail
cd "$(dirname "$0")/../../.."

export PYTHONDONTWRITEBYTECODE=1
here=tests/dashboards/pictures
modules=target/dashboards/pictures
python=${E2E_PYTHON:-target/e2e/venv/bin/python}

missing_programs() {
    local program
    for program in node npm prometheus promtool "${CHROMIUM:-chromium}" "$python" "${E2E_EXPORTER:-exporter}"; do
        command -v "$program" >/dev/null || echo "$program"
    done
}

# 400 MB, as the lock file says, unless they are there already.
install_modules() {
    local wanted
    wanted="$(node --version) $(cksum <"$here/package-lock.json")"
    if [[ $(cat "$modules/stamp" 2>/dev/null) == "$wanted" ]]; then
        return
    fi
    mkdir -p "$modules"
    cp "$here/package.json" "$here/package-lock.json" "$modules"
    npm ci --prefix "$modules" --legacy-peer-deps --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
    echo "$wanted" >"$modules/stamp"
}

mapfile -t missing < <(missing_programs)
if [[ ${#missing[@]} -gt 0 ]]; then
    echo "needed to draw the dashboards, and missing: ${missing[*]}" >&2
    exit 1
fi
CHROMIUM=$(command -v "${CHROMIUM:-chromium}")
export CHROMIUM
install_modules
"$python" "$here/pictures.py" "$E2E_EXPORTER" target/dashboards/recording "$modules" docs/images
