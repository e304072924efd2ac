#!/usr/bin/env bash
# Runs the native engine's tests over a build with address and undefined-behaviour sanitizers (gcc).
set -euo pipefail
cd "$(dirname "$0")/../../.."
node worker/engines/native/build.mjs --sanitize
sanitizer=$(${CC:-cc} -print-file-name=libasan.so)
[ -e "$sanitizer" ] || { echo "test:sanitized: no libasan beside ${CC:-cc}; install gcc" >&2; exit 1; }
# Node itself never frees some of its memory: only errors are looked for, not leaks.
export LD_PRELOAD=$sanitizer ASAN_OPTIONS=detect_leaks=0:abort_on_error=0 FTLE_NATIVE_SANITIZED=1
node --import tsx --test --test-reporter=spec worker/test/engine-native.test.ts worker/test/native-*.test.ts
