#!/usr/bin/env bash
# Prints the path of a tool that the tests of deploy/ need: the one on PATH if it is new enough, the one kept in
# .tools/, or one that is put there now, unpacked from a package of Debian 13 without installing it.
#   deploy/testing/get-tools.sh promtool|prometheus|amtool|alertmanager|docker-compose|kustomize
set -euo pipefail
cd "$(dirname "$0")/../.."
kept=$PWD/.tools
release=trixie
plugins=/usr/libexec/docker/cli-plugins
kustomize_module=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
alertmanager_version=0.28.1 # built: Debian's runs only where its package is installed, with files under /usr/share
alertmanager_module=github.com/prometheus/alertmanager/cmd/alertmanager@v$alertmanager_version

tool=${1:-}
case $tool in
  # what it must print when asked for its version; how to ask; the package
  promtool | prometheus) fit=' (2\.(4[2-9]|[5-9][0-9])|[3-9])\.' ask=--version package=$tool ;;
  amtool | alertmanager) fit=' (0\.(2[5-9]|[3-9][0-9])|[1-9])\.' ask=--version package=prometheus-alertmanager ;;
  docker-compose) # the plugin of `docker compose` is the same program
    fit='(^| v?)([2-9]|[1-9][0-9])\.' ask='version --short' package=$tool
    ;;
  kustomize) fit='^(v?([5-9]|[1-9][0-9])\.|\(devel\))' ask=version package=$tool ;; # Debian's 5.6 says (devel)
  *)
    echo "expected one of promtool, prometheus, amtool, alertmanager, docker-compose, kustomize; got '$tool'" >&2
    exit 2
    ;;
esac

is_fit() { "$1" $ask 2>&1 | grep -Eq "$fit"; }

# apt with a state of its own, for the named release at the place that the machine's apt already uses
private_apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$kept/apt/sources.list" -o Dir::Etc::sourceparts=- \
    -o Dir::State="$kept/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$kept/apt/cache" \
    -o APT::Sandbox::User=root "$@"
}
unpack() { # leaves the tool of Debian's package in the current folder
  [ "$tool" != alertmanager ] || return 1
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  local keyring=/usr/share/keyrings/debian-archive-keyring.gpg place
  place=$(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(REPO_URI)' | sed -n 's#^Packages main \(.*/debian/\)$#\1#p' | head -1)
  [ -n "$place" ] || return 1
  mkdir -p "$kept/apt/lists/partial" "$kept/apt/cache/archives/partial"
  echo "deb [signed-by=$keyring] $place $release main" >"$kept/apt/sources.list"
  private_apt download "$package" 2>/dev/null || { private_apt update && private_apt download "$package"; } || return 1
  dpkg -x ./*.deb . || return 1
  local path
  for path in "$plugins/$tool" "usr/bin/$tool" "usr/bin/$package"; do
    if [ -x "./$path" ]; then mv "./$path" "$tool" && return; fi
  done
  return 1
}
build() { # what has no package here, but can be built
  local flags= module
  case $tool in
    kustomize) module=$kustomize_module ;;
    alertmanager) module=$alertmanager_module flags="-X github.com/prometheus/common/version.Version=$alertmanager_version" ;;
    *) return 1 ;;
  esac
  command -v go >/dev/null || return 1
  GOBIN=$PWD GOFLAGS=-mod=mod go install -ldflags "$flags" "$module"
}

# A caller that comes while another gets a tool waits, and then finds it.
get() (
  mkdir -p "$kept"
  exec 9>"$kept/lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [ -x "$kept/$tool" ]; then return; fi
  scratch=$(mktemp -d "$kept/get.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  cd "$scratch"
  for way in unpack build; do
    if $way >&2 9>&- && [ -x "$tool" ] && is_fit "./$tool"; then
      mv "$tool" "$kept/$tool"
      return
    fi
    rm -rf ./*
  done
  echo "found no suitable $tool (wanted: /$fit/ in the answer to \`$tool $ask\`): put one on PATH, or run on Debian or Ubuntu with apt and, for alertmanager, Go" >&2
  return 1
)

if found=$(command -v "$tool") && is_fit "$found"; then
  echo "$found"
elif found=$plugins/$tool && [ -x "$found" ] && is_fit "$found"; then
  echo "$found"
else
  [ -x "$kept/$tool" ] || get
  echo "$kept/$tool"
fi
