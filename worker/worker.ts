import { setMaxListeners } from "node:events";
import { extname } from "node:path";
import pLimit from "p-limit";
import { Piscina } from "piscina";
import type { Clock } from "../shared/clock.ts";
import { systemClock } from "../shared/clock.ts";
import { errorRecord, InvalidTaskError, TaskTimeoutError } from "../shared/errors.ts";
import type { Provenance, TaskResult } from "../shared/messages.ts";
import type { Lease, WorkerTransport } from "../shared/transport/transport.ts";
import { VERSION } from "../shared/version.ts";
import type { CheckpointSaver } from "./checkpoint-saver.ts";
import { checkpointSaver } from "./checkpoint-saver.ts";
import { prepareTensorFlow } from "./engines/tfjs/load.ts";
import { progressOver } from "./tasks/progress.ts";
import { CHECKPOINT_EVERY_MS } from "./tasks/train.ts";
import type { ThreadCheckpoint, ThreadReply, ThreadRequest } from "./thread.ts";
import type { Computed, TaskOutcome, WorkerEvent, WorkerRun } from "./worker-event.ts";

export interface WorkerOptions {
  readonly transport: WorkerTransport;
  /** Names the worker in provenance and status, e.g. `host-1234`. */
  readonly name: string;
  /** Id of the engine whose tasks it takes. */
  readonly engine: string;
  readonly threads: number;
  /** The longest a task may take; after that it is stopped and counts as failed. */
  readonly taskTimeoutMs?: number;
  /** How often a lease is extended and its progress told. */
  readonly extendEveryMs?: number;
  /** How often a training saves a checkpoint. */
  readonly checkpointEveryMs?: number;
  readonly clock?: Clock;
  /** The threads' module, for tests. */
  readonly threadFile?: URL;
  onEvent?(event: WorkerEvent): void;
}

export interface Worker {
  /**
   * Takes no more tasks, waits up to `graceMs` for those that run, stops the rest and gives them back.
   * Idempotent; callers share the outcome.
   */
  stop(graceMs?: number): Promise<void>;
  /** Rejects if the worker cannot go on; settles when it has stopped. */
  readonly finished: Promise<void>;
}

/** A thread that was asked to stop and has not done so for this long is terminated. */
const TERMINATE_AFTER_MS = 1_000;

/**
 * A task that was lost so often may be one that kills its process. No two of these run in a process at a time: else
 * a harmless one that was lost with it would come back with it, be lost again, and in the end be given up.
 */
const SUSPECT_ATTEMPT = 3;

/** Takes tasks from a transport, one for each free thread, computes them and hands in the results. */
export function startWorker(options: WorkerOptions): Worker {
  const { transport, name, engine, threads, clock = systemClock } = options;
  const { taskTimeoutMs = Number.POSITIVE_INFINITY, extendEveryMs = 200 } = options;
  const { checkpointEveryMs = CHECKPOINT_EVERY_MS, onEvent = () => {} } = options;
  prepareTensorFlow(); // what its threads need of the process, should they load it
  const pool = new Piscina<ThreadRequest, ThreadReply>({
    filename: (options.threadFile ?? threadFile()).href,
    minThreads: threads,
    maxThreads: threads,
    recordTiming: false,
  });
  const alone = pLimit(1);
  const savers = new Map<number, CheckpointSaver>(); // of the trainings that run
  let runs = 0;
  pool.on("message", ({ run, bytes }: ThreadCheckpoint) => savers.get(run)?.add(bytes));
  const taking = new AbortController(); // aborted: take no more
  const working = new AbortController(); // aborted: give back what runs
  setMaxListeners(0, taking.signal, working.signal); // one or two a thread are no leak
  const loops = Array.from({ length: threads }, takeTasks);
  const finished = Promise.all(loops).then(() => {});
  let stopping: Promise<void> | null = null;

  async function takeTasks(): Promise<void> {
    while (!taking.signal.aborted) {
      let lease: Lease;
      const waited = stopwatch();
      try {
        lease = await transport.lease({ worker: name, engine, signal: taking.signal });
      } catch (error) {
        if (taking.signal.aborted) return;
        throw error;
      }
      await handle(lease, waited());
    }
  }

  async function handle(lease: Lease, waitSeconds: number): Promise<void> {
    const progress = progressOver();
    const run: WorkerRun = {
      task: lease.task,
      isResumed: false,
      progress: progress.get,
      seconds: stopwatch(),
    };
    onEvent({ kind: "leased", run, waitSeconds });
    const stop = stopper();
    const beat = setInterval(() => {
      lease.extend(progress.get()).catch(() => {}); // a lease that is lost says so by its signal
    }, extendEveryMs);
    const cancelTimeout = Number.isFinite(taskTimeoutMs)
      ? clock.after(taskTimeoutMs, () => stop.because(new TaskTimeoutError(taskTimeoutMs)))
      : () => {};
    const onLost = () => stop.because(new Error("the lease has ended"));
    const onStop = () => stop.because(new Error("the worker stops"));
    lease.signal.addEventListener("abort", onLost);
    working.signal.addEventListener("abort", onStop);
    stop.onStop(() => progress.stop());
    let outcome: TaskOutcome = "failed";
    let reply: ThreadReply | null = null;
    try {
      const work = () => compute(lease, { run, buffer: progress.buffer, signal: stop.terminate });
      reply = lease.attempt < SUSPECT_ATTEMPT ? await work() : await alone(work);
      const isDone = reply.kind !== "error"; // then it counts, whatever reason to stop came meanwhile
      outcome =
        isDone || stop.reason === null
          ? await answer(lease, reply)
          : await endUndone(lease, stop.reason);
    } catch (error) {
      if (error instanceof InvalidTaskError && stop.reason === null) {
        outcome = "invalid";
        await lease.reject(errorRecord(error));
      } else outcome = await endUndone(lease, stop.reason ?? error);
    } finally {
      onEvent({ kind: "ended", run, outcome, computed: computedBy(run, reply) });
      clearInterval(beat);
      cancelTimeout();
      stop.done();
      lease.signal.removeEventListener("abort", onLost);
      working.signal.removeEventListener("abort", onStop);
    }
  }

  /** Ends a lease without a result, for the reason why its work was stopped or failed. */
  async function endUndone(lease: Lease, reason: unknown): Promise<TaskOutcome> {
    if (working.signal.aborted) {
      await lease.giveBack();
      return "returned";
    }
    const isLost = lease.signal.aborted;
    await lease.fail(errorRecord(reason));
    if (reason instanceof TaskTimeoutError) return "timeout";
    return isLost ? "lost" : "failed";
  }

  async function compute(lease: Lease, call: ThreadCall): Promise<ThreadReply> {
    const { task } = lease;
    if (task.engine !== engine) {
      throw new InvalidTaskError(`expected a task of engine ${engine}, got one of ${task.engine}`);
    }
    if (task.kind === "train") return await runTraining(lease, call);
    const { buffer: progress, signal } = call;
    const weights = await transport.getBlob(task.sweep, task.weights, { signal });
    return await pool.run({ task, weights, progress }, { signal });
  }

  /** Saves its checkpoints; when it has ended, the last of them is saved. */
  async function runTraining(
    lease: Lease,
    { run, buffer: progress, signal }: ThreadCall,
  ): Promise<ThreadReply> {
    const saved = await lease.checkpoint().catch(() => null); // without it more is done again
    run.isResumed = saved !== null;
    const number = ++runs;
    const saver = checkpointSaver(async (bytes) => {
      await lease.saveCheckpoint(bytes);
      onEvent({ kind: "checkpoint" });
    });
    const checkpoints = { run: number, saved, everyMs: checkpointEveryMs };
    savers.set(number, saver);
    try {
      const request = { task: lease.task, weights: null, progress, checkpoints };
      const reply = await pool.run(request, { signal });
      if (reply.kind === "error" && reply.checkpoint != null) saver.add(reply.checkpoint);
      return reply;
    } finally {
      savers.delete(number);
      await saver.settled();
    }
  }

  async function answer(lease: Lease, reply: ThreadReply): Promise<TaskOutcome> {
    if (reply.kind === "error") {
      const isInvalid = reply.error.name === "InvalidTaskError";
      await (isInvalid ? lease.reject(reply.error) : lease.fail(reply.error));
      return isInvalid ? "invalid" : "failed";
    }
    const isFirst = (await lease.complete(await resultOf(lease, reply))) === "stored";
    return isFirst ? "done" : "late";
  }

  async function resultOf(
    { task, attempt }: Lease,
    reply: Exclude<ThreadReply, { kind: "error" }>,
  ): Promise<TaskResult> {
    const { seconds } = reply;
    const provenance: Provenance = { worker: name, engine, version: VERSION, attempt, seconds };
    const header = { task: task.id, cell: task.cell, provenance };
    if (reply.kind === "field") return { kind: "field", ...header, ...reply.tile };
    const { blobs, ...rest } = reply.trained;
    const weights = [];
    for (const { snapshot, epoch, bytes } of blobs) {
      const digest = await transport.putBlob(task.sweep, bytes);
      weights.push({ snapshot, epoch, digest, bytes: bytes.length });
    }
    return { kind: "train", ...header, ...rest, weights };
  }

  async function stopOnce(graceMs: number): Promise<void> {
    taking.abort(new Error("the worker stops"));
    const endGrace = clock.after(graceMs, () => working.abort());
    await finished.finally(endGrace);
    await pool.destroy();
  }

  return {
    finished,
    stop(graceMs = 0) {
      stopping ??= stopOnce(graceMs);
      return stopping;
    },
  };
}

/** What a thread needs beside its task. */
interface ThreadCall {
  readonly run: WorkerRun;
  /** Of its progress. */
  readonly buffer: SharedArrayBuffer;
  /** Terminates it. */
  readonly signal: AbortSignal;
}

function computedBy({ task, isResumed, progress }: WorkerRun, reply: ThreadReply | null): Computed {
  if (reply === null || reply.kind === "error") {
    return { operations: isResumed ? 0 : progress() * task.work, points: 0, samples: 0 };
  }
  if (task.kind === "field") {
    const { columns, rows } = task.tile;
    return { operations: task.work, points: columns * rows, samples: 0 };
  }
  const { epochs, samples } = (reply as Extract<ThreadReply, { kind: "train" }>).computed;
  const planned = task.physics.training.epochs;
  const operations = planned === 0 ? 0 : (task.work * epochs) / planned;
  return { operations, points: 0, samples };
}

/** @returns the seconds since the call. */
function stopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}

/** Stops a thread's work for the first of several reasons: by asking, and if need be by force. */
function stopper() {
  const force = new AbortController();
  let ask = () => {};
  let timer: NodeJS.Timeout | undefined;
  return {
    reason: null as Error | null,
    terminate: force.signal,
    onStop(action: () => void) {
      ask = action;
    },
    because(reason: Error) {
      if (this.reason !== null) return;
      this.reason = reason;
      ask();
      timer = setTimeout(() => force.abort(), TERMINATE_AFTER_MS);
    },
    done() {
      clearTimeout(timer);
    },
  };
}

/** The module beside this one, source or build. */
function threadFile(): URL {
  return new URL(`./thread${extname(import.meta.url)}`, import.meta.url);
}
