/** No-op tasks per second, from publishing to the result seen by the coordinator, compared with BullMQ's. */
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { medianAndRange, ratios } from "../engines/statistics.ts";
import { table } from "../engines/table.ts";
import { plainResult, sizes, taskOf } from "./no-op.ts";
import type { Child } from "./processes.ts";
import { built, cpuSeconds, startChild } from "./processes.ts";
import { peer, peersLack, startRedis } from "./redis.ts";

export interface Throughput {
  readonly sides: readonly Side[];
  readonly tasks: number;
  readonly rounds: number;
  readonly flight: number;
  /** Why BullMQ was not measured; null if it was. */
  readonly lack: string | null;
}

interface Side {
  readonly name: string;
  /** Of each round. */
  readonly rate: number[];
  /** Processor time per task of each process, in microseconds; of each round. */
  readonly cost: Record<Part, number[]>;
}

type Part = "coordinator" | "server" | "worker";
const PARTS: readonly Part[] = ["coordinator", "server", "worker"];

/** A system that is ready: a server, a coordinator and a worker. */
interface Ready {
  readonly coordinator: Child;
  readonly worker: Child;
  readonly server: { readonly pid: number; stop(): Promise<void> };
}

interface Contestant {
  readonly name: string;
  start(options: { flight: number }): Promise<Ready>;
}

export interface ThroughputOptions {
  readonly rounds: number;
  /** Tasks of a turn; a fifth as many run before and are not counted. */
  readonly tasks: number;
  /** Tasks published and without a result, at most. */
  readonly flight: number;
}

export const GOAL = 3_000;
const SLOTS = 8;

const OURS = "ours";
const OURS_SYNC = "ours, `sync_interval: always`";
const PEER = "BullMQ, AOF everysec";
const PEER_SYNC = "BullMQ, AOF always";

export async function measureThroughput(options: ThroughputOptions): Promise<Throughput> {
  const { rounds, tasks, flight } = options;
  const lack = peersLack();
  const contestants = [
    ours(OURS, ""),
    ours(OURS_SYNC, "sync_interval: always"),
    ...(lack === null ? [bullmq(PEER, "everysec"), bullmq(PEER_SYNC, "always")] : []),
  ];
  const sides: Side[] = contestants.map(({ name }) => ({
    name,
    rate: [],
    cost: { coordinator: [], server: [], worker: [] },
  }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, contestant] of contestants.entries()) {
      const { rate, cost } = sides[i]!;
      const ready = await contestant.start({ flight });
      const { coordinator, worker, server } = ready;
      try {
        const warmUp = Math.ceil(tasks / 5);
        await coordinator.ask("run", { from: 0, count: warmUp });
        const before = spent(ready);
        const { seconds } = await coordinator.ask<{ seconds: number }>("run", {
          from: warmUp,
          count: tasks,
        });
        rate.push(tasks / seconds);
        for (const part of PARTS) {
          cost[part].push(((spent(ready)[part] - before[part]) / tasks) * 1e6);
        }
      } finally {
        await coordinator.stop();
        await worker.stop();
        await server.stop();
      }
    }
  }
  return { sides, tasks, rounds, flight, lack };
}

function spent(ready: Ready): Record<Part, number> {
  const of = (part: Part) => cpuSeconds(ready[part].pid) ?? Number.NaN;
  return { coordinator: of("coordinator"), server: of("server"), worker: of("worker") };
}

function ours(name: string, jetstream: string): Contestant {
  const scripts = ["coordinator", "worker"].map((role) => built(`bench/broker/${role}-child`));
  return {
    name,
    async start({ flight }) {
      const server = await startNatsServer({ jetstream });
      const [coordinator, worker] = scripts.map(startChild) as [Child, Child];
      await coordinator.ask("start", { url: server.url, flight });
      await worker.ask("start", { url: server.url, slots: SLOTS });
      return { coordinator, worker, server };
    },
  };
}

function bullmq(name: string, fsync: "everysec" | "always"): Contestant {
  return {
    name,
    async start({ flight }) {
      const server = await startRedis(fsync);
      const { port } = server;
      const coordinator = startChild(peer("bullmq-coordinator.mjs"));
      const worker = startChild(peer("bullmq-worker.mjs"));
      await coordinator.ask("start", { port, flight, task: taskOf("") });
      await worker.ask("start", { port, slots: SLOTS, result: plainResult() });
      return { coordinator, worker, server };
    },
  };
}

export function throughputReport({ sides, tasks, rounds, flight, lack }: Throughput): string {
  const { task, result } = sizes();
  const rateOf = (name: string) => sides.find((side) => side.name === name)?.rate;
  const against = (name: string) => (name === OURS || name === PEER ? PEER : PEER_SYNC);
  const rows = sides.map(({ name, rate, cost }) => {
    const peers = rateOf(against(name));
    return [
      name,
      medianAndRange(rate),
      peers === undefined || name === against(name) ? "" : medianAndRange(ratios(rate, peers), 2),
      ...PARTS.map((part) => medianAndRange(cost[part], 2)),
    ];
  });
  const head = ["side", "tasks/s", "× BullMQ, synced alike", ...PARTS.map((part) => `${part}, µs`)];
  const notes = [
    `- ${rounds} rounds of ${tasks} tasks in turn; at most ${flight} unfinished at a time, ${SLOTS} slots of one worker process; task ${task} B, result ${result} B; processor time is per task`,
    ...(lack === null ? [] : [`- Without BullMQ: ${lack}`]),
  ];
  return [table(head, rows), "", ...notes].join("\n");
}
