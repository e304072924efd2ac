#!/usr/bin/env bash
# Installs BullMQ and its Redis client in bench/broker/peers/node_modules: 16 MB. The server is Debian's: apt-get install redis-server.
set -euo pipefail
cd "$(dirname "$0")"

npm ci --ignore-scripts --no-audit --no-fund
if ! command -v redis-server >/dev/null; then
  echo "no redis-server on PATH: apt-get install redis-server" >&2
  exit 1
fi
redis-server --version
