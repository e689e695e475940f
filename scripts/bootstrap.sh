#!/bin/sh
# Make .venv from requirements.lock, with this project in it. `make` calls this when .venv is missing or out of date.
#
#   sh scripts/bootstrap.sh          PYTHON=/path/to/python3.12 takes another interpreter than python3
#   sh scripts/bootstrap.sh --uv     only print a uv that works (for `make lock`); nothing when there is none
#
# Three ways, first that works: the uv on PATH; a uv put into .tools by pip (no system package is touched, so also where
# the distribution forbids plain pip installs); pip alone. The last one also helps where only pip knows of a mirror.
# Exit status: 0 done, 1 could not be installed, 2 no suitable Python.
set -eu

UV_PIN=0.13.9
CDPATH='' cd -- "$(dirname -- "$0")/.."
ROOT=$(pwd -P)
PYTHON=${PYTHON:-python3}

# What a caller's shell may carry must not lead an installer elsewhere.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 UV_PYTHON_DOWNLOADS=never

say() { printf 'bootstrap: %s\n' "$*" >&2; }

check_python() {
    found=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || found=missing
    case $found in
        3.11 | 3.12 | 3.13 | 3.14) ;;
        *)
            say "moisson needs Python 3.11 to 3.14 ($PYTHON: $found); name one: make PYTHON=/path/to/python3.12"
            exit 2
            ;;
    esac
    # An activated .venv is about to be replaced: step out of it.
    base=$("$PYTHON" -c 'import sys
if sys.prefix == sys.argv[1]: print(sys._base_executable)' "$ROOT/.venv")
    PYTHON=${base:-$PYTHON}
}

find_uv() {
    for candidate in uv "$ROOT/.tools/bin/uv"; do
        if "$candidate" --version >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    say "no uv on PATH: putting one into .tools"
    rm -rf .tools
    "$PYTHON" -m pip install --quiet --target .tools "uv==$UV_PIN" >/dev/null 2>&1 || return 0
    if .tools/bin/uv --version >/dev/null 2>&1; then
        printf '%s\n' "$ROOT/.tools/bin/uv"
    fi
}

# True when .venv was finished once and still runs on the Python asked for; anything else is made again from nothing.
is_sound() {
    [ -f .venv/.ready ] || return 1
    [ "$(cat .venv/.ready)" = "$ROOT" ] || return 1
    asked=$("$PYTHON" -c 'import sys; print(sys.base_prefix, sys.version_info[:3])') || return 1
    [ "$(.venv/bin/python -c 'import sys; print(sys.base_prefix, sys.version_info[:3])' 2>/dev/null)" = "$asked" ]
}

with_uv() {
    [ -n "$UV" ] || return 1
    [ -x .venv/bin/python ] || "$UV" venv --quiet --no-project --python "$PYTHON" .venv || return 1
    "$UV" pip sync --quiet --python .venv/bin/python --require-hashes --compile-bytecode requirements.lock || return 1
    "$UV" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable .
}

# pip into .venv: its own, or (a distribution's Python without ensurepip, a .venv made by uv) the interpreter's.
pip_into_venv() {
    if .venv/bin/python -m pip --version >/dev/null 2>&1; then
        .venv/bin/python -m pip "$@"
    else
        "$PYTHON" -m pip --python .venv/bin/python "$@"
    fi
}

with_pip() {
    if ! [ -x .venv/bin/python ]; then
        "$PYTHON" -m venv .venv >/dev/null 2>&1 || "$PYTHON" -m venv --clear --without-pip .venv || return 1
    fi
    # --no-deps: the lock is complete, and pip 23 rejects it over an extra (sqlalchemy[asyncio]) when it looks itself.
    pip_into_venv install --quiet --no-deps --require-hashes --requirement requirements.lock || return 1
    # The build backend comes from the lock, so its place must be on PATH for the build.
    pip_into_venv install --quiet --no-deps --no-build-isolation --no-index --editable .
}

check_python
if [ "${1:-}" = --uv ]; then
    find_uv
    exit 0
fi

started=$(date +%s)
UV=$(find_uv)
is_sound || rm -rf .venv
rm -f .venv/.ready
[ -d .venv ] || say "making .venv with Python $found (the first time about 130 MB are downloaded)"

if with_uv; then
    way=$UV
else
    [ -z "$UV" ] || { say "uv could not do it (see above): trying pip" && rm -rf .venv; }
    with_pip || {
        say "could not install requirements.lock: see the lines above, check that pip reaches a package index, then run make again"
        exit 1
    }
    way=pip
fi

.venv/bin/python -c 'import importlib.metadata as m; m.distribution("moisson")' && [ -x .venv/bin/moisson ] || {
    say "the project itself is not in .venv: run make clean, then make again"
    exit 1
}
printf '%s\n' "$ROOT" >.venv/.ready
say ".venv is ready, $(($(date +%s) - started)) s (${way##*/})"
