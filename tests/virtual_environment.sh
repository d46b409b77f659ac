#!/usr/bin/env bash
# Makes a virtual environment of Python with the packages of a file, unless it is there already.
#   virtual_environment.sh DIRECTORY REQUIREMENTS
set -euo pipefail

venv=$1
requirements=$2
wanted="$(python3 --version) $(cksum <"$requirements")"
if [[ -x $venv/bin/python && $(cat "$venv/stamp" 2>/dev/null) == "$wanted" ]]; then
    exit
fi
rm -rf "$venv"
python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
echo "$wanted" >"$venv/stamp"
