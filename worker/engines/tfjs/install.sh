#!/usr/bin/env bash
# Puts @tensorflow/tfjs-node with its native half into .tfjs-node/ beside package.json: `npm run engine:tfjs`.
#
# The package's own install script downloads libtensorflow from its vendor, and cannot be run where that is out of
# reach. Here it comes from the PyPI wheel of tensorflow-cpu (187 MB, kept under ~/.cache), which has the same C
# interface, and the addon is compiled from the package's sources. The folder is apart from node_modules, where it
# would add 300 MB and its outdated dependencies to every `npm ci`, and be removed by the next one.
#
# Linux on x86-64 with glibc; needs npm, python3 with pip, g++. No root. Again it does nothing.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
target=$(cd "$here/../../.." && pwd)/.tfjs-node
package=$target/node_modules/@tensorflow/tfjs-node
version=2.13.1 # from 2.12.1 on; the first ones that have libtensorflow_cc.so.2
sha256=87be6e61314b2c0fa062f71e26e41d6a17e162ffe4da72c820fe8f1fc94d97fe # of the wheel for CPython 3.11; its Python is not used
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ftle-sweeper/libtensorflow-$version
python=${PYTHON:-python3}
cxx=${CXX:-g++}

say() { printf 'engine:tfjs: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check='
  const util = require("node:util");
  Object.assign(util, { isNullOrUndefined: (v) => v == null, isArray: Array.isArray }); // gone from Node 23
  const tf = require("@tensorflow/tfjs-node");
  const product = tf.matMul([[1, 2], [3, 4]], [[5, 6], [7, 8]]).dataSync();
  if (tf.getBackend() !== "tensorflow" || product.join() !== "19,22,43,50") throw new Error("wrong result " + product);
  console.log("tfjs-node " + tf.version["tfjs-node"] + " with libtensorflow " + tf.backend().binding.TF_Version);
'
loads() { (cd "$target" && TF_CPP_MIN_LOG_LEVEL=2 node --no-deprecation -e "$check"); }

# What is there was made by this script, from these packages.
is_current() { sha256sum --check --status "$target/.made-from" 2>/dev/null; }

fetch_libraries() {
  say "fetching libtensorflow $version, 187 MB"
  printf 'tensorflow-cpu==%s --hash=sha256:%s\n' "$version" "$sha256" >"$scratch/requirements.txt"
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --no-cache-dir \
    --implementation cp --python-version 3.11 --abi cp311 --platform manylinux2014_x86_64 \
    --platform manylinux_2_17_x86_64 --dest "$scratch" --requirement "$scratch/requirements.txt"
  "$python" - "$scratch"/tensorflow_cpu-*.whl "$scratch/libtensorflow" <<'PY'
import re, shutil, sys, zipfile
from pathlib import Path

wheel, destination = sys.argv[1], Path(sys.argv[2])
kept = (
    ("lib", re.compile(r"tensorflow/(libtensorflow_(?:cc|framework)\.so\.2)")),
    # All headers that the addon includes, directly or not.
    ("include", re.compile(r"tensorflow/include/((?!.*/lite/)(?:.*/)?(?:c/[^/]+|c/eager/c_api|platform/ctstring(?:_internal)?)\.h)")),
    ("license", re.compile(r"(?:tensorflow|tensorflow_cpu-[^/]+\.dist-info)/(LICENSE|THIRD_PARTY_NOTICES\.txt)")),
)
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        for folder, pattern in kept:
            if match := pattern.fullmatch(name):
                target = destination / folder / match.group(1)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, open(target, "wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
PY
  # The symbol tables are 150 MB.
  ! command -v strip >/dev/null || strip --strip-unneeded "$scratch"/libtensorflow/lib/*
  mkdir -p "$(dirname "$cache")"
  rm -rf "$cache.part.$$"
  mv "$scratch/libtensorflow" "$cache.part.$$"
  mv -T "$cache.part.$$" "$cache" 2>/dev/null || rm -rf "$cache.part.$$" # another run was first
}

compile_addon() {
  say "compiling the addon"
  mkdir -p "$package/deps/lib" "$package/lib/napi-v8"
  cp -R "$cache/include" "$package/deps/"
  local file
  for file in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do
    ln "$cache/lib/$file" "$package/deps/lib/" 2>/dev/null || cp "$cache/lib/$file" "$package/deps/lib/"
  done
  # The names that the linker looks for.
  ln -s libtensorflow_cc.so.2 "$package/deps/lib/libtensorflow.so"
  ln -s libtensorflow_framework.so.2 "$package/deps/lib/libtensorflow_framework.so"
  cp "$package"/binding/*.cc "$package"/binding/*.h "$scratch/"
  # It keeps the names of attributes in one unlocked set, which threads that start together corrupt.
  sed -i 's/^static std::set<std::string> ATTR_NAME_SET;/static thread_local std::set<std::string> ATTR_NAME_SET;/' "$scratch/tfjs_backend.cc"
  grep -q 'thread_local std::set<std::string> ATTR_NAME_SET' "$scratch/tfjs_backend.cc" || die "ATTR_NAME_SET is not where it was"
  "$cxx" -std=c++17 -O2 -fPIC -shared -w -DNAPI_VERSION=8 -DBUILDING_NODE_EXTENSION \
    -I"$target/node_modules/node-api-headers/include" -I"$package/deps/include" \
    "$scratch/tfjs_backend.cc" "$scratch/tfjs_binding.cc" \
    -L"$package/deps/lib" -ltensorflow -ltensorflow_framework -Wl,-rpath,'$ORIGIN/../../deps/lib' \
    -o "$package/lib/napi-v8/tfjs_binding.node"
}

if is_current && what=$(loads 2>/dev/null); then
  say "nothing to do: $what"
  exit 0
fi
[ "$(uname -sm)" = "Linux x86_64" ] || die "only for Linux on x86-64; elsewhere \`npm install --no-save @tensorflow/tfjs-node@4.22.0\`"
for tool in npm "$python" "$cxx"; do command -v "$tool" >/dev/null || die "needs $tool"; done

[ -d "$cache" ] || fetch_libraries
say "installing tfjs-node's packages"
rm -rf "$target"
mkdir "$target"
echo '*' >"$target/.gitignore"
cp "$here"/package/*.json "$target/"
(cd "$target" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
rm "$target"/*.json
find "$target" -name "*.map" -delete # half of it
compile_addon
what=$(loads) || die "it was built, but does not load or compute"
sha256sum "$here/install.sh" "$here"/package/*.json >"$target/.made-from"
say "done: $what"
