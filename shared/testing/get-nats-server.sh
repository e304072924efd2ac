#!/usr/bin/env bash
# Prints the path of a nats-server for the tests: FTLE_NATS_SERVER, the one on PATH, the one kept in
# .nats-server/, or one built there now with Go.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=v2.15.2
kept=$PWD/.nats-server/nats-server

if [ -n "${FTLE_NATS_SERVER:-}" ]; then echo "$FTLE_NATS_SERVER"; exit; fi
if command -v nats-server; then exit; fi
mkdir -p .nats-server
(
  flock 9 # one process builds, the others wait
  if [ ! -x "$kept" ]; then
    GOBIN=$PWD/.nats-server go install "github.com/nats-io/nats-server/v2@$version" >&2
  fi
) 9>.nats-server/lock
echo "$kept"
