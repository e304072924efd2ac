/** A broker with ten thousand workers and a hundred thousand queued tasks: `ftle status`, and what the coordinator needs. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import { readDepths } from "../../shared/transport/nats/observe.ts";
import { readQueues } from "../../shared/transport/nats/queue-list.ts";
import { resolveEngine } from "../../worker/engines/registry.ts";
import { medianAndRange } from "../engines/statistics.ts";
import { table } from "../engines/table.ts";
import type { Crowd } from "./heartbeats-child.ts";
import { built, cpuSeconds, ended, peakMegabytes, startChild } from "./processes.ts";

export interface Scale {
  readonly workers: number;
  readonly tasks: number;
  /** Seconds until all tasks were queued. */
  readonly queuing: number;
  /** Seconds of the whole process. */
  readonly status: readonly number[];
  readonly json: readonly number[];
  /** Peaks, in MB. */
  readonly coordinatorMegabytes: number;
  readonly serverMegabytes: number;
  /** Share of one core that each takes while no status is requested. */
  readonly load: Record<"coordinator" | "server" | "heartbeats", number>;
  /** Heartbeats per second. */
  readonly beats: number;
}

export const GOALS = { statusSeconds: 2, coordinatorMegabytes: 500 };
/** Each worker has a task running and one waiting for each thread, as `ftle run` ensures. */
const TASKS_A_THREAD = 2;
const THREADS = 5;
/** How often the coordinator gets a result. */
const RESULT_MS = 100;
/** Share of the tasks that must be queued: none are added for a worker whose heartbeat is just late. */
const LEAST_QUEUED = 0.98;
const QUEUED_WITHIN_MS = 300_000;
/** How long no status is requested, and the coordinator may grow. */
const QUIET_MS = 30_000;

export async function measureScale(
  folder: string,
  { workers, rounds }: { workers: number; rounds: number },
): Promise<Scale> {
  const program = built("cli/main");
  const tasks = workers * THREADS * TASKS_A_THREAD;
  const spec = join(folder, "scale.yaml");
  writeFileSync(spec, stringify(specFor(tasks)));
  const server = await startNatsServer();
  const { url } = server;
  const ftle = (...args: string[]) =>
    spawn(process.execPath, [program, ...args, "--nats", url], {
      stdio: ["ignore", "pipe", "inherit"],
    });
  const args = ["--out", join(folder, "scale"), "--engine", "reference", "--no-plot", "--quiet"];
  const coordinator = ftle("run", spec, ...args);
  const heartbeats = startChild(built("bench/broker/heartbeats-child"));
  try {
    const start = performance.now();
    const engine = resolveEngine("reference");
    const crowd: Crowd = { url, workers, threads: THREADS, engine, resultMs: RESULT_MS };
    await heartbeats.ask("start", crowd);
    await untilQueued(url, tasks);
    const queuing = (performance.now() - start) / 1000;

    const pids = { coordinator: coordinator.pid!, server: server.pid, heartbeats: heartbeats.pid };
    const before = each(pids, (pid) => cpuSeconds(pid)!);
    const { sent } = await heartbeats.ask<{ sent: number }>("count", {});
    await pause(QUIET_MS);
    const after = each(pids, (pid) => cpuSeconds(pid)!);
    const { sent: sentThen } = await heartbeats.ask<{ sent: number }>("count", {});

    const look = async (...flags: string[]) => {
      const began = performance.now();
      const status = ftle("status", ...flags);
      let printed = "";
      status.stdout.on("data", (chunk) => {
        printed += chunk;
      });
      const code = await new Promise((resolve) => status.on("close", resolve));
      const seconds = (performance.now() - began) / 1000;
      if (code !== 0) throw new Error("`ftle status` failed");
      return { printed, seconds };
    };
    const status: number[] = [];
    const json: number[] = [];
    for (let round = 0; round < rounds; round++) {
      status.push((await look()).seconds);
      const { printed, seconds } = await look("--json");
      json.push(seconds);
      const seen = JSON.parse(printed);
      const { waiting } = seen.sweeps[0].depth;
      if (seen.workers.length <= workers || waiting < LEAST_QUEUED * tasks) {
        throw new Error(`found ${seen.workers.length} workers, ${waiting} tasks`);
      }
    }
    const seconds = QUIET_MS / 1000;
    const load = each(pids, (_, name) => (after[name] - before[name]) / seconds);
    return {
      workers,
      tasks,
      queuing,
      status,
      json,
      coordinatorMegabytes: peakMegabytes(coordinator.pid!),
      serverMegabytes: peakMegabytes(server.pid),
      load,
      beats: (sentThen - sent) / seconds,
    };
  } finally {
    coordinator.kill("SIGKILL");
    await ended(coordinator);
    await heartbeats.stop();
    await server.stop();
  }
}

/** Trainings, a few more than may be queued at a time. */
function specFor(tasks: number): object {
  const count = Math.ceil((1.05 * tasks) / 100);
  return {
    name: "scale",
    axes: { width: "1..10", depth: "1..10", seed: { count } },
    field: "none",
  };
}

async function untilQueued(url: string, tasks: number): Promise<void> {
  const broker = await connectBroker({ url });
  const end = performance.now() + QUEUED_WITHIN_MS;
  try {
    for (;;) {
      const queues = await readQueues(broker).catch(() => null); // the coordinator has not started
      const [depth] = (await readDepths(broker, queues ?? [])).values();
      if ((depth?.waiting ?? 0) >= LEAST_QUEUED * tasks) return;
      if (performance.now() > end) throw new Error(`only ${depth?.waiting} tasks were queued`);
      await pause(200);
    }
  } finally {
    await broker.close();
  }
}

function each<Key extends string, A, B>(
  values: Record<Key, A>,
  change: (value: A, key: Key) => B,
): Record<Key, B> {
  const entries = Object.entries(values) as [Key, A][];
  return Object.fromEntries(entries.map(([key, value]) => [key, change(value, key)])) as Record<
    Key,
    B
  >;
}

export function scaleReport(scale: Scale): string {
  const { status, json, load } = scale;
  const percent = (part: number) => `${(100 * part).toFixed(0)} %`;
  const rows = [
    ["`ftle status --nats`, s", medianAndRange(status)],
    ["the same, `--json`, s", medianAndRange(json)],
    ["coordinator, peak MB resident", scale.coordinatorMegabytes.toFixed(0)],
    ["nats-server, peak MB resident", scale.serverMegabytes.toFixed(0)],
    ["coordinator, share of a core", percent(load.coordinator)],
    ["nats-server, share of a core", percent(load.server)],
  ];
  const notes = [
    `- ${scale.workers} workers of ${THREADS} threads, simulated by one process: ${scale.beats.toFixed(0)} heartbeats a second, each with ${THREADS} running tasks`,
    `- ${scale.tasks} tasks of one sweep, queued by \`ftle run\` in ${scale.queuing.toFixed(0)} s; status ${status.length} times each while all of these run`,
  ];
  return [table(["", ""], rows), "", ...notes].join("\n");
}
