#!/usr/bin/env bash
# Builds the native engine for every machine that the npm tarball serves: linux-x64 with the system's compiler,
# linux-arm64 with zig's, which brings the C library's headers for glibc 2.28 along (a wheel from PyPI; python3).
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
[ "$(uname -sm)" = "Linux x86_64" ] || { echo "prebuild: run it on Linux x86-64" >&2; exit 1; }
zig=$root/prebuilds/.zig
if [ ! -x "$zig/bin/python" ]; then
  python3 -m venv "$zig"
  "$zig/bin/pip" install --quiet --disable-pip-version-check ziglang==0.13.0
fi
cd "$root"
node worker/engines/native/build.mjs
CC="$zig/bin/python -m ziglang cc -target aarch64-linux-gnu.2.28" node worker/engines/native/build.mjs --arch arm64
for addon in prebuilds/linux-x64/native.node prebuilds/linux-arm64/native.node; do
  [ -f "$addon" ] || { echo "prebuild: $addon was not built" >&2; exit 1; }
  # The newest glibc that it asks for, as the names of its symbols' versions tell.
  needed=$(grep -aoE 'GLIBC_2\.[0-9]+' "$addon" | sort -uV | tail -1)
  newest=$(printf '%s\nGLIBC_2.28\n' "$needed" | sort -V | tail -1)
  [ "$newest" = GLIBC_2.28 ] || { echo "prebuild: $addon needs $needed, expected at most GLIBC_2.28" >&2; exit 1; }
  echo "$addon: needs $needed"
done
