/**
 * Thousands of workers that only send heartbeats, on one connection, in the form of `heartbeat.ts`; and one that
 * sends a result from time to time, so that the coordinator continues.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Task, TrainResult } from "../../shared/messages.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import { encodeJson } from "../../shared/transport/nats/envelope.ts";
import { BUCKETS, INBOXES } from "../../shared/transport/nats/names.ts";
import { workerTransport } from "../../shared/transport/nats/worker-transport.ts";
import type { WorkerStatus } from "../../shared/transport/transport.ts";
import { serve } from "./processes.ts";

export interface Crowd {
  readonly url: string;
  readonly workers: number;
  /** Of each; all of them have a task running, as soon as there are so many. */
  readonly threads: number;
  readonly engine: string;
  /** How often a result is sent. */
  readonly resultMs: number;
}

const BEAT_MS = 5_000;
const TICK_MS = 50;
const NAME = "the-one-that-works";
const RATES = { train: 12.3456789e9, field: 23.4567891e9 };

let sent = 0;

await serve({
  async start(crowd: Crowd) {
    const { url } = crowd;
    const broker = await connectBroker({ url, inboxPrefix: INBOXES.worker });
    beat(broker, crowd);
    void work(broker, crowd); // a failure ends this process
    return {};
  },

  /** Heartbeats so far. */
  async count() {
    return { sent };
  },
});

function beat({ nc }: Broker, { workers, threads, engine }: Crowd): void {
  const since = Date.now();
  const tasks: { id: string; sweep: string }[] = [];
  nc.subscribe("ftle.task.>", {
    max: workers * threads,
    callback(_, { subject }) {
      const [, , , sweep, id] = subject.split(".");
      tasks.push({ id: id!, sweep: sweep! });
    },
  });
  const beatOf = (n: number) => {
    const mine = tasks.slice(n * threads, (n + 1) * threads);
    const name = `node-${String(n).padStart(5, "0")}-4711`;
    const status: WorkerStatus = {
      name,
      engine,
      threads,
      version: "0.1.0",
      rates: RATES,
      since,
      seen: Date.now(),
      running: mine.map((task) => ({ ...task, attempt: 1, progress: Math.random(), since })),
    };
    nc.publish(`$KV.${BUCKETS.workers}.${name}`, encodeJson(status));
    sent++;
  };
  const start = performance.now();
  setInterval(() => {
    const due = Math.floor(((performance.now() - start) / BEAT_MS) * workers);
    while (sent < due) beatOf(sent % workers);
  }, TICK_MS);
}

async function work(broker: Broker, { engine, resultMs }: Crowd): Promise<never> {
  const transport = workerTransport({ broker });
  await transport.announce({ name: NAME, engine, threads: 1, version: "0.1.0", rates: RATES });
  const { signal } = new AbortController();
  for (;;) {
    const lease = await transport.lease({ worker: NAME, engine, signal });
    await lease.complete(resultOf(lease.task));
    await pause(resultMs);
  }
}

/** A diverged training has no weights to send. */
function resultOf({ id: task, cell, engine }: Task): TrainResult {
  const provenance = { worker: NAME, engine, version: "0.1.0", attempt: 1, seconds: 0.001 };
  const history = { trainLoss: [], trainAccuracy: [], testLoss: [], testAccuracy: [] };
  const [status, reason] = ["diverged", "simulated"] as const;
  return { kind: "train", task, cell, status, reason, epochs: 0, history, weights: [], provenance };
}
