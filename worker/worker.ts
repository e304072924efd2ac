/** A worker takes tasks from a transport, one for each free thread, computes them and hands in the results. */
import { setMaxListeners } from "node:events";
import { extname } from "node:path";
import pLimit from "p-limit";
import { Piscina } from "piscina";
import type { Clock } from "../shared/clock.ts";
import { systemClock } from "../shared/clock.ts";
import type { WorkerTransport } from "../shared/transport/transport.ts";
import type { ContentCache } from "./content-cache.ts";
import { prepareTensorFlow } from "./engines/tfjs/load.ts";
import { dataSets } from "./loop/data-sets.ts";
import { createPace } from "./loop/pace.ts";
import { takeTasks } from "./loop/take-tasks.ts";
import type { WorkerEvent } from "./loop/worker-event.ts";
import type { WorkerState } from "./loop/worker-state.ts";
import type { ThreadCheckpoint } from "./tasks/thread-messages.ts";
import { CHECKPOINT_EVERY_MS } from "./tasks/train.ts";

export interface WorkerOptions {
  readonly transport: WorkerTransport;
  /** Names the worker in provenance and status, e.g. `host-1234`. */
  readonly name: string;
  /** Id of the engine whose tasks it takes. */
  readonly engine: string;
  readonly threads: number;
  /** The longest a task may take; after that it is stopped and counts as failed. */
  readonly taskTimeoutMs?: number;
  /** Time between two extensions of a lease, each of which reports the task's progress. */
  readonly extendEveryMs?: number;
  /** Time between two checkpoints of a training. */
  readonly checkpointEveryMs?: number;
  readonly clock?: Clock;
  /** Keeps what data sets from files are made of; by default it is fetched once a process. */
  readonly contentCache?: ContentCache;
  /** The threads' module, for tests. */
  readonly threadFile?: URL;
  onEvent?(event: WorkerEvent): void;
}

export interface Worker {
  /**
   * Takes no more tasks, gives back those that wait for a thread, waits up to `graceMs` for running tasks, then stops the rest and gives them back.
   * Idempotent; all callers get the same promise.
   */
  stop(graceMs?: number): Promise<void>;
  /** Resolves when the worker has stopped; rejects if it cannot continue. */
  readonly finished: Promise<void>;
}

export function startWorker(options: WorkerOptions): Worker {
  prepareTensorFlow(); // must precede the threads that may load it
  const worker = workerState(options);
  const loops = Array.from({ length: options.threads }, () => takeTasks(worker));
  const finished = Promise.all(loops).then(() => {});
  let stopping: Promise<void> | null = null;
  return {
    finished,
    stop(graceMs = 0) {
      stopping ??= stop(worker, finished, graceMs);
      return stopping;
    },
  };
}

function workerState(options: WorkerOptions): WorkerState {
  const { transport, name, engine, threads, clock = systemClock } = options;
  const { taskTimeoutMs = Number.POSITIVE_INFINITY, extendEveryMs = 200 } = options;
  const { checkpointEveryMs = CHECKPOINT_EVERY_MS, onEvent = () => {} } = options;
  const pool: WorkerState["pool"] = new Piscina({
    filename: (options.threadFile ?? threadFile()).href,
    minThreads: threads,
    maxThreads: threads,
    recordTiming: false,
  });
  const savers: WorkerState["savers"] = new Map();
  pool.on("message", ({ run, bytes }: ThreadCheckpoint) => savers.get(run)?.add(bytes));
  const stopTaking = new AbortController();
  const stopRunning = new AbortController();
  setMaxListeners(0, stopTaking.signal, stopRunning.signal); // one or two listeners for each thread are no leak
  return {
    ...{ transport, name, engine, clock, onEvent, pool, savers, stopTaking, stopRunning },
    ...{ taskTimeoutMs, extendEveryMs, checkpointEveryMs },
    dataSets: dataSets((sweep, digest) => {
      const fetch = () => transport.getBlob(sweep, digest, { signal: stopRunning.signal });
      return options.contentCache?.get(digest, fetch) ?? fetch();
    }),
    pace: createPace(),
    suspects: pLimit(1),
    trainings: 0,
  };
}

async function stop(
  { clock, pool, stopTaking, stopRunning }: WorkerState,
  finished: Promise<void>,
  graceMs: number,
): Promise<void> {
  stopTaking.abort(new Error("the worker stops"));
  const endGrace = clock.after(graceMs, () => stopRunning.abort());
  await finished.finally(endGrace);
  await pool.destroy();
}

/** The file beside this one, as source or as built. */
function threadFile(): URL {
  return new URL(`./thread-entry.c${extname(import.meta.url).slice(1)}`, import.meta.url);
}
