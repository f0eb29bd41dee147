#!/usr/bin/env bash
# Makes .venv: a virtual environment with the locked dependencies and this tree installed in place.
# `make` runs it when a lock file changed. What is missing from the system is installed with apt-get
# where that is allowed (root, or sudo without a password); elsewhere the message says what to run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PYTHON="${PYTHON:-python3}"
VENV=.venv

fail() {
    printf 'setup: %s\n' "$@" >&2
    exit 1
}

may_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo --non-interactive true 2>/dev/null; }
}

apt_get() {
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get "$@"
    else
        sudo --non-interactive DEBIAN_FRONTEND=noninteractive apt-get "$@"
    fi
}

# need WHAT PACKAGE CHECK...: passes when the command CHECK does; otherwise installs PACKAGE and asks again.
need() {
    local what=$1 package=$2 log
    shift 2
    if "$@" >/dev/null 2>&1; then
        return
    fi
    may_install || fail "$what is missing. Install it (Debian's package is $package), then run make again:" \
        "    sudo apt-get install $package"
    echo "setup: installing $package ($what)"
    log=$(mktemp)
    if ! { apt_get update && apt_get install --yes --no-install-recommends "$package"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        fail "$package could not be installed. Install it, then run make again:" \
            "    apt-get install $package"
    fi
    rm -f "$log"
    "$@" >/dev/null 2>&1 || fail "$what is still missing after installing $package"
}

is_new_enough() {
    "$PYTHON" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))'
}

makes_environments() {
    "$PYTHON" -c 'import ensurepip, venv'
}

# The way pysodium finds it, so the answer here is the answer at run time.
loads_libsodium() {
    "$PYTHON" -c 'from ctypes import CDLL, util; CDLL(util.find_library("sodium") or "libsodium.so.23")'
}

# The state of .venv is the content of what it was made from, not the dates of these files.
wanted_state() {
    cat requirements/build.txt requirements/dev.txt tools/setup.sh | sha256sum | cut -d ' ' -f 1
    echo "$version"
}

command -v "$PYTHON" >/dev/null || need "Python 3.11" python3 command -v "$PYTHON"
is_new_enough || fail "Python 3.11 or newer is needed, $PYTHON is $("$PYTHON" -V 2>&1)." \
    "Name another one with: make setup PYTHON=python3.11"
version=$("$PYTHON" -c 'import sys; print("{}.{}".format(*sys.version_info))')
need "the library libsodium" libsodium23 loads_libsodium
need "Python's venv module" "python$version-venv" makes_environments

# What pip prints is kept for the case that it fails.
pip_install() {
    if ! "$VENV/bin/python" -m pip --disable-pip-version-check --no-input install "$@" >"$VENV/pip.log" 2>&1; then
        tail -n 30 "$VENV/pip.log" >&2
        fail "pip could not install what is locked in requirements/ (see $VENV/pip.log)"
    fi
}

if [ "$(wanted_state)" != "$(cat "$VENV/state" 2>/dev/null)" ]; then
    echo "setup: making $VENV with Python $version and the locked dependencies (about half a minute)"
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
    # setuptools first and pinned: two dependencies have no wheel and are built with it.
    # The lock is complete, so nothing is resolved (--no-deps): pip 23.2 would look past the pin of a package
    # that another one asks for with an extra, and stop at the first newer release of it.
    pip_install --require-hashes --no-deps --requirement requirements/build.txt
    pip_install --require-hashes --no-deps --no-build-isolation --requirement requirements/dev.txt
    wanted_state >"$VENV/state"
fi
# The tree in place, through two plain path lines: the import hook that setuptools would write for two
# source folders costs every start of every program some 15 ms.
pip_install --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
site_packages=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$PWD/protos/gen" >"$site_packages/kura-generated.pth"
