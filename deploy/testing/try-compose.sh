#!/usr/bin/env bash
# deploy/Dockerfile and deploy/compose, really built, started and disturbed: the README's trial, then a sweep
# during which workers are killed, stopped and added, the broker restarted and the coordinator killed. Ends with
# "all held", or at the first thing that did not. About ten minutes; needs root, Debian and its package registries.
#   sudo deploy/testing/try-compose.sh [FOLDER for its work, a new one under /tmp if not given]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(realpath "${1:-$(mktemp -d /tmp/ftle-compose.XXXXXX)}")
mkdir -p "$work"
dockerd_options=""
# shellcheck source=deploy/testing/engine.sh
. "$root/deploy/testing/engine.sh"

began=$SECONDS
say() { printf '%4d s  %s\n' $((SECONDS - began)) "$*"; }
fail() { say "FAILED: $*" >&2 && exit 1; }
# await WHAT SECONDS COMMAND…: until the command succeeds
await() {
  local what=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" >"$work/await.log" 2>&1; do
    if [ $SECONDS -ge $end ]; then tail -20 "$work/await.log" >&2 && fail "$what did not come"; fi
    sleep 0.5
  done
}

cleanup() {
  local code=$?
  if [ -e "$work/dockerd.pid" ]; then
    [ $code = 0 ] || compose logs --tail 30 >"$work/logs.txt" 2>&1 || true
    compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    stop_engine || true
  fi
  [ $code = 0 ] || echo "what there is to see: $work/logs.txt $work/dockerd.log" >&2
}
trap cleanup EXIT

compose() {
  (cd "$work/tree/deploy/compose" && "$compose_program" -f compose.yaml -f "$work/override.yaml" --profile observability "$@")
}
only() { compose ps --all --quiet "$1" | head -1; } # the container of a service that has one
workers() { compose ps --quiet worker; }
state() { docker inspect --format "{{.State.$2}}" "$1"; }
is_state() { [ "$(state "$1" "$2")" = "$3" ]; }
was_restarted() { [ "$(docker inspect --format '{{.RestartCount}}' "$1")" = 1 ]; }
sum() { # CONTAINER PORT PATTERN: of the values in the lines of its metrics that match
  docker exec "$1" node -e "fetch('http://127.0.0.1:$2/metrics').then((answer) => answer.text()).then((text) => {
    const lines = text.split('\n').filter((line) => /$3/.test(line));
    console.log(lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0));
  })"
}
shown() { sed 's/^/        /'; }
done_tasks() { sum "$(only coordinator)" 9464 '^ftle_sweep_tasks.*state="done"'; }
has_done() { [ "$(done_tasks)" -ge "$1" ]; }
is_training() { # a worker, and none of its tasks has ended
  [ "$(sum "$1" 9465 '^ftle_worker_threads_busy')" = 1 ] && [ "$(sum "$1" 9465 '^ftle_worker_tasks_total')" = 0 ]
}
find_fresh() { # leaves it in $fresh
  for fresh in $(workers); do if is_training "$fresh"; then return; fi; done
  return 1
}
has_workers() { [ "$(sum "$(only coordinator)" 9464 '^ftle_workers\{.*alive')" = "$1" ]; }
is_healthy() { for id in "$@"; do is_state "$id" Health.Status healthy || return 1; done; }
asked() { # PROMETHEUS' QUERY: its first value, asked at the port on the engine's loopback
  nsenter --target "$(cat "$work/dockerd.pid")" --net wget -qO- "http://127.0.0.1:9090/api/v1/query?query=$1" |
    node -p 'JSON.parse(fs.readFileSync(0)).data.result[0]?.value[1] ?? ""'
}
answers() { [ "$(asked "$1")" = "$2" ]; }
memory() { # CONTAINER FILE-OF-VERSION-1 FILE-OF-VERSION-2: what the kernel counts for it
  local folder=/sys/fs/cgroup/memory/docker/$1 name=$2
  [ -d "$folder" ] || folder=$(dirname "$(find /sys/fs/cgroup -path "*$1*" -name memory.max | head -1)") name=$3
  cat "$folder/$name"
}
check_memory() { # of all workers: under the limit, none killed for it
  local id peak limit
  for id in $(workers); do
    peak=$(memory "$id" memory.max_usage_in_bytes memory.peak) limit=$(memory "$id" memory.limit_in_bytes memory.max)
    say "memory: $(docker inspect --format '{{.Name}}' "$id") at most $((peak >> 20)) MiB with its files in the cache, of $((limit >> 20))"
    [ "$limit" -lt $((4 << 30)) ] || fail "no limit of memory"
    [ "$(memory "$id" memory.oom_control memory.events | sed -n 's/^oom_kill //p')" = 0 ] || fail "killed because memory ran out"
  done
}

say "engine, base images"
get_engine
compose_program=$("$root/deploy/testing/get-tools.sh" docker-compose)
rm -rf "$work/tree" && mkdir -p "$work/tree" "$DOCKER_CONFIG"
git -C "$root" ls-files -z --cached --others --exclude-standard | (cd "$root" && xargs -0 ls -d 2>/dev/null) | tar -C "$root" -T - -cf - | tar -C "$work/tree" -xf -
mkdir -p "$work/tree/deploy/prometheus/rules" "$work/tree/deploy/nats/keys" && echo secret >"$work/tree/deploy/nats/keys/worker.nk"
# A registry is reached from this machine's own network alone; Grafana's image cannot be made from Debian's packages.
cat >"$work/override.yaml" <<'YAML'
services:
  worker: {build: {network: host}}
  grafana: {profiles: !override [not-here]}
YAML
dockerd_options="--bridge=none --iptables=false" start_engine unshare --mount
make_images
say "docker compose build"
compose build >"$work/build.log" 2>&1 || { tail -30 "$work/build.log" >&2 && fail "the image could not be built"; }
image=ftle-sweeper:local
say "image: $(($(docker image inspect --format '{{.Size}}' $image) >> 20)) MiB, of which the base $(($(docker image inspect --format '{{.Size}}' node:24-bookworm-slim) >> 20)); context $(grep -o -m 1 '[0-9.]*[kM]B' "$work/build.log")"
stop_engine

# From here on a network of its own, without the world.
start_engine unshare --net --mount sh -c 'ip link set lo up && exec "$@"' -
run="docker run --rm --network none --read-only --cap-drop ALL --entrypoint"
[ "$($run id $image -u)" = 1000 ] || fail "the image runs as root"
$run sh $image -c '! touch /x 2>/dev/null && ! command -v gcc && ! find /opt/ftle -name "*.nk" -o -name .git -o -path "*/dist/*/test" -prune -o -path "*/node_modules/typescript" | grep -v /zarrita | grep .' || fail "the image can be written to, or holds what it must not"
$run ftle $image doctor >"$work/doctor.txt" || fail "ftle doctor"
grep -q native "$work/doctor.txt" || fail "no native engine"
say "image: user 1000, read-only, no compiler, no keys, native engine sound"

say "the README's trial: docker compose up --scale worker=4"
compose up --detach --quiet-pull --scale worker=4 >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2 && fail "up"; }
coordinator=$(only coordinator)
await "the end of the sweep" 240 is_state "$coordinator" Status exited
is_state "$coordinator" ExitCode 0 || fail "the coordinator ended with $(state "$coordinator" ExitCode)"
docker logs "$coordinator" 2>/dev/null | shown
# shellcheck disable=SC2046 # containers are words
await "healthy workers" 60 is_healthy $(workers) "$(only nats)" "$(only prometheus)"
await "Prometheus' sight of four workers" 60 answers 'sum(up%7Bjob=%22ftle-worker%22%7D)' 4
say "Prometheus saw $(asked 'sum(last_over_time(ftle_sweep_tasks%7Bstate=%22done%22%7D%5B10m%5D))') tasks done at the end"

compose down --timeout 30 >/dev/null 2>&1
say "another sweep, on two new workers"
cat >"$work/trial.yaml" <<'YAML'
name: trial
axes: {width: 100, depth: [8, 12], seed: {count: 4}}
training: {optimizer: sgd, learningRate: 0.02, batch: 128, epochs: 100}
field: {points: 256}
engine: native
YAML
export SPEC=$work/trial.yaml
compose up --detach >"$work/up.log" 2>&1 || { cat "$work/up.log" >&2 && fail "up"; }
await "the sweep" 60 has_done 0
await "two workers" 60 has_workers 2

await "work" 120 find_fresh
killed=$fresh
docker kill "$killed" >/dev/null
say "docker kill of a worker with a training: exit code $(state "$killed" ExitCode)"

compose up --detach --no-recreate --scale worker=4 >"$work/up.log" 2>&1 || fail "scale"
await "four workers" 90 has_workers 4
say "scaled: the coordinator hears four workers, $(done_tasks) tasks done"

await "a worker with its first training" 120 find_fresh
before=$SECONDS
docker stop "$fresh" >/dev/null # with the stop_grace_period of the file
say "docker stop of a worker with a training: exit code $(state "$fresh" ExitCode) after $((SECONDS - before)) s; it said:"
docker logs "$fresh" 2>&1 | tail -2 | shown
is_state "$fresh" ExitCode 0 || fail "the worker did not end in good order"
docker logs "$fresh" 2>&1 | grep -q 'given back' || fail "the worker gave nothing back"

compose restart nats >"$work/up.log" 2>&1
await "the broker" 60 is_healthy "$(only nats)"
await "the coordinator's return to it" 60 has_workers 3
say "broker restarted: the coordinator hears three workers again"
kill -9 "$(state "$(only nats)" Pid)"
await "the broker's restart" 60 was_restarted "$(only nats)"
await "the coordinator's return to it" 90 has_workers 3
say "broker killed: it came back, and so did coordinator and workers"

await "some results" 300 has_done 3
sofar=$(done_tasks)
kill -9 "$(docker top "$(only coordinator)" | awk '/ftle run|ftle\/dist/ && !/docker-init/ {print $2; exit}')"
await "the coordinator's restart" 60 was_restarted "$(only coordinator)"
await "what was done before" 60 has_done "$sofar"
say "coordinator killed with $sofar tasks done: started again, it goes on with $(done_tasks)"

await "the end of the sweep" 900 is_state "$(only coordinator)" Status exited
is_state "$(only coordinator)" ExitCode 0 || fail "the coordinator ended with $(state "$(only coordinator)" ExitCode)"
docker logs "$(only coordinator)" 2>/dev/null | shown
check_memory
docker stats --no-stream --format '        {{.Name}} {{.MemUsage}}'
for id in $(compose ps --all --quiet); do is_state "$id" OOMKilled false || fail "killed because memory ran out: $id"; done
for sweep in quickstart trial; do
  compose run --rm --no-deps coordinator verify "/sweeps/$sweep" --sample 20% 2>"$work/verify.log" | shown || { cat "$work/verify.log" >&2 && fail "verify of $sweep"; }
done
before=$SECONDS
compose down --timeout 30 >/dev/null 2>&1
say "docker compose down took $((SECONDS - before)) s"
say "all held"
