/** A coordinator's end of the broker: queues tasks, gathers their outcomes, and removes what is done with. */
import { setMaxListeners } from "node:events";
import type { ConsumerInfo } from "@nats-io/jetstream";
import { AckPolicy, DeliverPolicy, JetStreamApiError } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { BrokerResetError } from "../../errors.ts";
import type { Task } from "../../messages.ts";
import { parseTask } from "../../messages.ts";
import type { CoordinatorTransport, Outcome, RunningTask, WorkerStatus } from "../transport.ts";
import { leasePolicy } from "../transport.ts";
import { createBlobs } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import { encodeJson, sealed } from "./envelope.ts";
import { CANCEL_SUBJECT, queueName, STREAMS, subjects } from "./names.ts";
import type { KeptOutcome } from "./outcomes.ts";
import { outcomeReader } from "./outcomes.ts";
import type { Queue } from "./queue-list.ts";
import { changeQueues, readQueues } from "./queue-list.ts";
import { pause, untilDone } from "./retry.ts";
import { setup, streamInfo } from "./setup.ts";
import { purge, storeOnce } from "./store-once.ts";
import { readWorkers } from "./workers.ts";

export interface CoordinatorTransportOptions {
  readonly broker: Broker;
  /** How long a worker may be silent about a task before another gets it. */
  readonly leaseMs?: number;
  /** How often the broker is asked whether it still has what it was given. */
  readonly checkMs?: number;
}

export interface NatsCoordinatorTransport extends CoordinatorTransport {
  /** Makes sure that workers can find a sweep's queue. Idempotent. */
  open(queue: Pick<Queue, "engine" | "sweep" | "priority">): Promise<void>;
  stop(): Promise<void>;
}

/** The list of workers is read again after so many times the time that it took. */
const WORKERS_PAUSE = 20;
/** Workers may have so many pulls waiting at one queue, and so many of its tasks at a time. */
const MOST_WORKERS_THREADS = 100_000;

export function coordinatorTransport({
  broker,
  leaseMs = leasePolicy.leaseMs,
  checkMs = 2_000,
}: CoordinatorTransportOptions): NatsCoordinatorTransport {
  const stopped = new AbortController();
  const { signal } = stopped;
  setMaxListeners(0, signal); // one for each request that waits
  const blobs = createBlobs(broker, { signal, mends: true });
  const queues = new Map<string, { queue: Queue; opened: Promise<void> }>();
  /** Tasks published here and without an outcome. */
  const open = new Map<string, Task>();
  /** Dead letters seen here: they stay on the broker, for `ftle status`, until their sweep ends. */
  const seenDead = new Set<string>();
  /** When the streams were made that have what we gave them: others mean that it is lost. */
  let born: string | null = null;
  let lastWorkers: { readonly found: Promise<WorkerStatus[]>; staleAt: number } | null = null;

  /** Asked for often, and told every few seconds only; of thousands, reading is kept to a small share of the time. */
  function workers(): Promise<WorkerStatus[]> {
    const start = performance.now();
    if (lastWorkers !== null && start < lastWorkers.staleAt) return lastWorkers.found;
    const found = readWorkers(broker);
    const reading = { found, staleAt: Number.POSITIVE_INFINITY };
    const done = () => {
      const end = performance.now();
      reading.staleAt = end + Math.max(checkMs / 2, WORKERS_PAUSE * (end - start));
    };
    found.then(done, done);
    lastWorkers = reading;
    return found;
  }

  function usual(engine: string, sweep: string): Queue {
    return { engine, sweep, priority: "normal", state: "running", leaseMs };
  }

  function opened(queue: Queue): Promise<void> {
    const name = queueName(queue.engine, queue.sweep);
    const known = queues.get(name);
    if (known !== undefined) return known.opened;
    const opened = makeQueue(queue);
    queues.set(name, { queue, opened });
    opened.catch(() => queues.delete(name));
    return opened;
  }

  async function prepare(): Promise<void> {
    await setup(broker, undefined, { signal });
    born ??= await birthday();
  }

  async function makeQueue(queue: Queue): Promise<void> {
    await prepare();
    const { engine, sweep } = queue;
    const found = await queueInfo(queue);
    if (found !== null && found.config.ack_wait !== nanos(queue.leaseMs)) {
      const change = { ack_wait: nanos(queue.leaseMs) };
      const name = queueName(engine, sweep);
      await untilDone(broker, () => broker.jsm.consumers.update(STREAMS.tasks, name, change), {
        signal,
      });
    }
    if (found === null) {
      // A new consumer would deliver again what an earlier one had seen done.
      await purge(
        broker,
        { stream: STREAMS.tasks, filter: subjects.task(engine, sweep, ">") },
        { signal },
      );
      await untilDone(
        broker,
        () =>
          broker.jsm.consumers.add(STREAMS.tasks, {
            durable_name: queueName(engine, sweep),
            filter_subject: subjects.task(engine, sweep, ">"),
            ack_policy: AckPolicy.Explicit,
            deliver_policy: DeliverPolicy.All,
            ack_wait: nanos(leaseMs),
            max_deliver: -1, // workers count, so that no task becomes invisible
            max_ack_pending: MOST_WORKERS_THREADS,
            max_waiting: MOST_WORKERS_THREADS,
          }),
        { signal },
      );
    }
    await changeQueues(broker, (list) => {
      const isOther = (other: Queue) => other.sweep !== sweep || other.engine !== engine;
      return [...list.filter(isOther), queue];
    });
  }

  async function queueInfo({
    engine,
    sweep,
  }: Pick<Queue, "engine" | "sweep">): Promise<ConsumerInfo | null> {
    return await untilDone(
      broker,
      async () => {
        try {
          return await broker.jsm.consumers.info(STREAMS.tasks, queueName(engine, sweep));
        } catch (error) {
          if (error instanceof JetStreamApiError && error.status === 404) return null;
          throw error;
        }
      },
      { signal },
    );
  }

  /** Queues of a sweep, whoever opened them. */
  async function queuesOf(sweep: string): Promise<Queue[]> {
    const found = (await readQueues(broker, { signal })) ?? [];
    const mine = [...queues.values()].map(({ queue }) => queue);
    const all = new Map(
      [...mine, ...found].map((queue) => [`${queue.engine} ${queue.sweep}`, queue]),
    );
    return [...all.values()].filter((queue) => queue.sweep === sweep);
  }

  async function put(task: Task): Promise<void> {
    const payload = encodeJson(task);
    const subject = subjects.task(task.engine, task.sweep, task.id);
    await storeOnce(broker, { subject, payload, headers: sealed(payload) }, { signal });
  }

  async function forget({ id, sweep, engine }: Pick<Task, "id" | "sweep" | "engine">) {
    const state = subjects.state(sweep, id);
    await Promise.all([
      purge(
        broker,
        { stream: STREAMS.tasks, filter: subjects.task(engine, sweep, id) },
        { signal },
      ),
      purge(broker, { stream: STREAMS.results, filter: subjects.result(sweep, id) }, { signal }),
      purge(broker, { stream: STREAMS.dead, filter: subjects.dead(sweep, id) }, { signal }),
      purge(broker, { stream: STREAMS.state, filter: state }, { signal }),
      purge(broker, { stream: STREAMS.state, filter: `${state}.>` }, { signal }),
    ]);
    seenDead.delete(id);
  }

  /**
   * Watches that the broker still has what it was given, while outcomes are waited for. Tasks that nobody has
   * and nobody can get, because an acknowledgement outlived its result, are published anew.
   */
  async function watch(sweep: string, until: AbortSignal, progress: () => number): Promise<never> {
    let before = -1;
    for (;;) {
      await pause(checkMs, until);
      until.throwIfAborted();
      if ((await birthday()) !== born) {
        queues.clear();
        born = null;
        throw new BrokerResetError(
          "the broker has lost its streams; the store has all that is done",
        );
      }
      const mine = [...open.values()].filter((task) => task.sweep === sweep);
      const isIdle = mine.length > 0 && (await isQueueEmpty(mine[0]!));
      const isStalled = isIdle && before === progress();
      before = isIdle ? progress() : -1;
      if (!isStalled) continue;
      for (const task of mine) {
        if (!open.has(task.id)) continue;
        await forget(task);
        await put(task);
      }
    }
  }

  /** Whether there is no task of the kind that workers have, or could get. */
  async function isQueueEmpty({ engine, sweep }: Task): Promise<boolean> {
    const name = queueName(engine, sweep);
    const queue = queues.get(name)?.queue ?? usual(engine, sweep);
    const info = await queueInfo(queue);
    if (info !== null) return info.num_pending + info.num_ack_pending === 0;
    queues.delete(name);
    await opened(queue);
    return true;
  }

  /** When the stream of tasks was made; another day means another stream. */
  async function birthday(): Promise<string> {
    const found = await streamInfo(broker, STREAMS.tasks, signal);
    return found?.created ?? "";
  }

  function acknowledging(outcome: KeptOutcome): Outcome {
    const { kind } = outcome;
    const ack = async () => {
      if (kind === "dead") {
        open.delete(outcome.letter.task);
        seenDead.add(outcome.letter.task);
      } else {
        open.delete(outcome.result.task);
      }
      await outcome.ack();
    };
    if (kind === "dead") return { kind, letter: outcome.letter, ack };
    return { kind, result: outcome.result, ack };
  }

  return {
    open: (queue) => opened({ ...queue, state: "running", leaseMs }),

    async publish(task) {
      parseTask(task);
      const { engine, sweep } = task;
      await opened(usual(engine, sweep));
      open.set(task.id, task);
      await put(task);
    },

    async *outcomes(sweep, options) {
      await prepare().catch((error) => {
        if (!signal.aborted) throw error;
      });
      const over = new AbortController();
      const end = () => over.abort(options.signal.reason ?? signal.reason);
      options.signal.addEventListener("abort", end, { once: true });
      signal.addEventListener("abort", end, { once: true });
      if (options.signal.aborted || signal.aborted) end();
      let count = 0;
      const reader = outcomeReader({ broker, blobs, sweep, signal: over.signal });
      watch(sweep, over.signal, () => count).catch((error) => reader.fail(error));
      try {
        for await (const outcome of reader) {
          if (outcome.kind === "dead" && seenDead.has(outcome.letter.task)) continue;
          count++;
          yield acknowledging(outcome);
        }
      } finally {
        options.signal.removeEventListener("abort", end);
        signal.removeEventListener("abort", end);
        over.abort();
        await reader.close();
      }
    },

    async cancel(sweep) {
      await setup(broker, undefined, { signal }); // a broker that lost its streams would not answer
      for (const { engine } of await queuesOf(sweep)) {
        const name = queueName(engine, sweep);
        const entry = queues.get(name);
        queues.delete(name);
        await entry?.opened.catch(() => {});
        await changeQueues(broker, (list) =>
          list.filter((other) => other.sweep !== sweep || other.engine !== engine),
        );
        await untilDone(broker, () => removeQueue(name), { signal });
        await purge(
          broker,
          { stream: STREAMS.tasks, filter: subjects.task(engine, sweep, ">") },
          { signal },
        );
      }
      broker.nc.publish(`${CANCEL_SUBJECT}.${sweep}`);
      const { results, dead, blobs: blobStream, state } = STREAMS;
      await purge(broker, { stream: results, filter: subjects.result(sweep, ">") }, { signal });
      await purge(broker, { stream: dead, filter: subjects.dead(sweep, ">") }, { signal });
      await purge(broker, { stream: blobStream, filter: `ftle.blob.${sweep}.>` }, { signal });
      await purge(broker, { stream: state, filter: subjects.state(sweep, ">") }, { signal });
      for (const [id, task] of open) if (task.sweep === sweep) open.delete(id);
      seenDead.clear();
    },

    async forget(task) {
      open.delete(task.id);
      await forget(task);
    },

    async depth(sweep) {
      let [waiting, inFlight] = [0, 0];
      for (const queue of await queuesOf(sweep)) {
        const info = await queueInfo(queue);
        waiting += info?.num_pending ?? 0;
        inFlight += info?.num_ack_pending ?? 0;
      }
      return { waiting, inFlight };
    },

    async running(sweep) {
      const running: RunningTask[] = [];
      for (const { name: worker, running: tasks } of await workers()) {
        for (const { id, sweep: of, attempt, progress, since } of tasks) {
          const task = open.get(id);
          if (of === sweep && task !== undefined)
            running.push({ task, worker, attempt, progress, since });
        }
      }
      return running.sort((a, b) => a.since - b.since);
    },

    workers,
    putBlob: (sweep, bytes) => blobs.put(sweep, bytes),
    getBlob: (sweep, digest, { signal }) => blobs.get(sweep, digest, signal),
    dropBlob: (sweep, digest) => blobs.drop(sweep, digest),

    async stop() {
      stopped.abort(new Error("the transport has stopped"));
    },
  };

  async function removeQueue(name: string): Promise<void> {
    try {
      await broker.jsm.consumers.delete(STREAMS.tasks, name);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.status === 404)) throw error;
    }
  }
}
