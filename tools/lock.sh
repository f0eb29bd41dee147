#!/usr/bin/env bash
# Writes requirements/{build,runtime,dev}.txt from pyproject.toml: exact versions with their hashes,
# no registry addresses and no paths. Versions already locked are kept unless --upgrade is given.
# Needs uv (any recent release); only people who change a dependency run this.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
uv="${UV:-uv}"

lock() { # lock NAME ARGUMENT...: writes requirements/NAME.txt
    local name=$1 target="requirements/$1.txt"
    shift
    "$uv" pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 \
        "$@" --output-file "$target" >/dev/null
    sed -i "1i # Locked from pyproject.toml by tools/lock.sh ($name). Do not edit." "$target"
    if grep -nE '://|--(extra-)?index|--find-links|file:' "$target"; then
        echo "error: $target names an address or a path" >&2
        exit 1
    fi
}

lock build --group build "$@"
lock runtime pyproject.toml "$@"
lock dev pyproject.toml --group dev --constraint requirements/runtime.txt --constraint requirements/build.txt "$@"
echo "locked: requirements/build.txt requirements/runtime.txt requirements/dev.txt"
