import type { ProgressReport } from "../../coordinator/run/progress.ts";
import { CancelledError } from "../../shared/errors.ts";
import { claimSweep } from "../../shared/transport/nats/claim.ts";
import type { Broker, BrokerOptions } from "../../shared/transport/nats/connect.ts";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import { coordinatorTransport } from "../../shared/transport/nats/coordinator-transport.ts";
import type { QueueNumbers } from "../../shared/transport/nats/observe.ts";
import { readQueue, readStreamNumbers } from "../../shared/transport/nats/observe.ts";
import { setup } from "../../shared/transport/nats/setup.ts";
import type { CoordinatorTransport, WorkerStatus } from "../../shared/transport/transport.ts";
import { leasePolicy } from "../../shared/transport/transport.ts";
import type { RunMetrics } from "../metrics/run-metrics.ts";
import { counted } from "../terminal/format.ts";
import { limitHeapGrowth } from "./heap-growth.ts";
import type { WorkPlace } from "./place.ts";

export { place };

export interface NatsWork {
  readonly broker: BrokerOptions;
  readonly priority: "high" | "normal";
  /** How long a worker may be silent about a task before another gets it. */
  readonly leaseMs?: number;
  /** Leave the sweep's messages on the broker when it is complete. */
  readonly keep: boolean;
  /** Receives the state of the connection, the workers and the streams. */
  readonly metrics?: RunMetrics | null;
  /** Is called with messages for the user. */
  onNotice(line: string): void;
}

const LOOK_MS = 2_000;

/** Computes on whatever workers are at a broker. */
export function natsWork({
  broker: options,
  priority,
  leaseMs = leasePolicy.leaseMs,
  keep,
  metrics = null,
  onNotice,
}: NatsWork): WorkPlace {
  return async ({ sweep, name, engine }, signal, use) => {
    limitHeapGrowth();
    metrics?.connecting();
    const broker = await connectBroker(options, {
      onState: (state) =>
        onNotice(
          `${state} ${state === "disconnected" ? "from" : "to"} the broker at ${place(options.url)}`,
        ),
    });
    try {
      await setup(broker, undefined, { signal });
      const claim = await claimSweep(broker, { sweep, name, engine }, { signal });
      const transport = coordinatorTransport({ broker, leaseMs });
      const crew = followWorkers(transport, engine, (all) => metrics?.workers(all));
      metrics?.connected(broker);
      const gauges = metrics && watchBroker(broker, { engine, sweep }, metrics);
      let phase: "stopped" | "complete" | undefined = "stopped";
      try {
        await transport.open({ engine, sweep, priority });
        const result = await use({
          transport,
          signal: AbortSignal.any([signal, claim.lost, broker.closed]),
          threads: crew.threads,
          onThreads: crew.onLook,
          rates: crew.rates,
          note: () => (claim.isPaused() ? "paused" : crew.note()),
          isPaused: claim.isPaused,
          queue: () => gauges?.queue() ?? null,
          report: (progress) => claim.report(shown(progress)),
        });
        if (!keep) await transport.cancel(sweep);
        phase = keep ? "complete" : undefined;
        return result;
      } finally {
        crew.stop();
        gauges?.stop();
        if (claim.lost.reason instanceof CancelledError) {
          await transport.cancel(sweep);
          phase = undefined;
        }
        if (!broker.closed.aborted) await claim.end(phase);
        await transport.stop();
      }
    } finally {
      await broker.close();
    }
  };
}

/** The workers of an engine, looked up at intervals. */
function followWorkers(
  transport: CoordinatorTransport,
  engine: string,
  onLook: (all: readonly WorkerStatus[]) => void,
) {
  let all: readonly WorkerStatus[] = [];
  let mine = crewOf(all, engine);
  const listeners: (() => void)[] = [];
  const look = async () => {
    all = await transport.workers();
    mine = crewOf(all, engine);
    onLook(all);
    for (const listener of listeners) listener();
  };
  const lookOn = () => void look().catch(() => {}); // a broker that is away: look again at the next interval
  lookOn();
  const timer = setInterval(lookOn, LOOK_MS);
  return {
    threads: () => mine.threads,
    rates: () => mine.rates,
    /** Calls back after each look. */
    onLook: (listener: () => void) => void listeners.push(listener),
    note() {
      const { count, threads } = mine;
      if (count > 0) return `${counted(count, "worker")}, ${counted(threads, "thread")}`;
      if (all.length === 0) return "waiting for workers (ftle worker)";
      const others = [...new Set(all.map((worker) => worker.engine))].join(", ");
      return `waiting for workers of engine ${engine}; those connected have ${others}`;
    },
    stop: () => clearInterval(timer),
  };
}

/** The workers of one engine together, computed once per look: there may be thousands, and every task asks for it. */
function crewOf(all: readonly WorkerStatus[], engine: string) {
  const mine = all.filter((worker) => worker.engine === engine);
  const threads = mine.reduce((sum, worker) => sum + worker.threads, 0);
  const mean = (kind: "train" | "field") =>
    mine.reduce((sum, worker) => sum + worker.threads * worker.rates[kind], 0) / threads;
  const rates = threads === 0 ? null : { train: mean("train"), field: mean("field") };
  return { count: mine.length, threads, rates };
}

/** The queue and the streams, read at intervals, not at each request for metrics. */
function watchBroker(
  broker: Broker,
  queue: { readonly engine: string; readonly sweep: string },
  metrics: RunMetrics,
) {
  let seen: QueueNumbers | null = null;
  const look = async () => {
    const [numbers, streams] = await Promise.all([
      readQueue(broker, queue),
      readStreamNumbers(broker),
    ]);
    seen = numbers;
    metrics.streams(streams);
  };
  const lookOn = () => void look().catch(() => {}); // a broker that is away: look again at the next interval
  lookOn();
  const timer = setInterval(lookOn, LOOK_MS);
  return { queue: () => seen, stop: () => clearInterval(timer) };
}

function shown(progress: ProgressReport) {
  const { etaSeconds } = progress;
  return { ...progress, etaSeconds: Number.isFinite(etaSeconds) ? etaSeconds : null };
}
