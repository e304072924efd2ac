/** A worker's end of the broker: takes tasks, keeps their leases, hands in results. */
import { setMaxListeners } from "node:events";
import type { Msg } from "@nats-io/transport-node";
import { nanos } from "@nats-io/transport-node";
import type { Clock } from "../../clock.ts";
import { systemClock } from "../../clock.ts";
import { InvalidTaskError } from "../../errors.ts";
import type { DeadLetter, Task, TaskResult } from "../../messages.ts";
import { parseTask } from "../../messages.ts";
import type {
  Lease,
  LeasePolicy,
  WorkerStatus,
  WorkerTask,
  WorkerTransport,
} from "../transport.ts";
import { leasePolicy } from "../transport.ts";
import { createBlobs } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import { decodeJson, encodeJson, ForeignMessageError, sealed, unsealed } from "./envelope.ts";
import { BUCKETS, CANCEL_SUBJECT, KIND_HEADER, subjects, token } from "./names.ts";
import type { TaskMessage } from "./next-message.ts";
import { messageSource } from "./next-message.ts";
import { messageRoom } from "./parts.ts";
import { encodeResult } from "./result-codec.ts";
import { storeOnce } from "./store-once.ts";
import type { TaskState } from "./task-state.ts";
import { createTaskState } from "./task-state.ts";

export interface WorkerTransportOptions {
  readonly broker: Broker;
  readonly policy?: Pick<LeasePolicy, "maxDeliveries" | "backoffMs">;
  /** How often the worker tells that it is there. */
  readonly beatMs?: number;
  readonly listMs?: number;
  readonly pullMs?: number;
  readonly clock?: Clock;
  onEvent?(event: WorkerTransportEvent): void;
}

/** What a worker may want to count. */
export type WorkerTransportEvent =
  | { readonly kind: "extended"; readonly task: string }
  /** A result is about to be handed in. */
  | { readonly kind: "result"; readonly bytes: number }
  /** A result came second and was refused. */
  | { readonly kind: "late"; readonly task: string }
  /** A message that is not one of ours was made a dead letter. */
  | { readonly kind: "foreign"; readonly subject: string; readonly reason: string }
  | { readonly kind: "blob"; readonly cached: boolean };

export interface NatsWorkerTransport extends WorkerTransport {
  /** Wakes who waits, gives back what comes too late to be worked on, and ends. The connection stays. */
  stop(): Promise<void>;
}

const REQUEST_MS = 3_000;
/** A lease is extended so many times in its duration. */
const EXTENSIONS = 3;

export function workerTransport(options: WorkerTransportOptions): NatsWorkerTransport {
  const { broker, policy = leasePolicy, clock = systemClock, onEvent = () => {} } = options;
  const { beatMs = 5_000, listMs = 5_000, pullMs = 2_000 } = options;
  const { nc } = broker;
  const stopped = new AbortController();
  setMaxListeners(0, stopped.signal); // a few for each thread are no leak
  const { signal: whileHere } = stopped;
  const source = messageSource(broker, {
    signal: whileHere,
    listMs,
    pullMs,
    onLate: (message) => pulls.add(giveBackUnseen(message)),
  });
  const blobs = createBlobs(broker, { signal: whileHere, mends: false }, (event) =>
    onEvent({ kind: "blob", cached: event === "hit" }),
  );
  const leases = new Set<{ readonly task: WorkerTask; cancel(): void }>();
  const pulls = new Set<Promise<unknown>>();
  let profile: WorkerStatus | null = null;
  const cancels = nc.subscribe(`${CANCEL_SUBJECT}.*`, {
    callback: (_, { subject }) => {
      const sweep = subject.slice(CANCEL_SUBJECT.length + 1);
      for (const lease of leases) if (lease.task.sweep === sweep) lease.cancel();
    },
  });
  const beating = setInterval(beat, beatMs);

  function beat(): void {
    if (profile === null || whileHere.aborted || nc.isClosed()) return;
    const running = [...leases].map(({ task }) => task);
    const status: WorkerStatus = { ...profile, seen: clock.now(), running };
    // Not waited for: the next beat says it again.
    nc.publish(`$KV.${BUCKETS.workers}.${profile.name}`, encodeJson(status));
  }

  /** A lost acknowledgement costs one delivery that finds the result there; it is not insisted on. */
  async function answer(message: Msg, word: string): Promise<void> {
    await nc.request(message.reply!, word, { timeout: REQUEST_MS }).catch(() => {});
  }

  async function giveUp(message: Msg, letter: DeadLetter): Promise<void> {
    const payload = encodeJson(letter);
    const subject = subjects.dead(letter.sweep, letter.task);
    await storeOnce(broker, { subject, payload, headers: sealed(payload) }, { signal: whileHere });
    await answer(message, "+ACK");
  }

  /** The lease for a delivered message; null if there is nothing in it to work on. */
  async function grant({ message, leaseMs }: TaskMessage, worker: string): Promise<Lease | null> {
    const task = await taskIn(message, worker);
    if (task === null) return null;
    const state = createTaskState(broker, task, whileHere);
    const deliveries = deliveryCount(message);
    const attempt = deliveries === 1 ? 1 : Math.max(1, deliveries - (await state.returned()));
    if (attempt <= policy.maxDeliveries) {
      return leaseOf({ message, leaseMs, task, worker, attempt, state });
    }
    const reason = {
      name: "LeaseExpired",
      message: `each of its ${policy.maxDeliveries} workers was killed, or silent for ${leaseMs / 1000} s`,
    };
    await giveUp(message, letterOf(task, { reason, worker, attempts: policy.maxDeliveries }));
    return null;
  }

  async function taskIn(message: Msg, worker: string): Promise<Task | null> {
    const { sweep, id } = addressed(message);
    try {
      const task = parseTask(decodeJson(unsealed(message.data, message.headers)));
      if (task.sweep === sweep && task.id === id) return task;
      throw new InvalidTaskError(`found task ${task.id} of ${task.sweep} on ${message.subject}`);
    } catch (error) {
      const isForeign = error instanceof InvalidTaskError || error instanceof ForeignMessageError;
      if (!isForeign) throw error;
      onEvent({ kind: "foreign", subject: message.subject, reason: error.message });
      const reason = { name: "InvalidTaskError", message: error.message };
      const unknown = { id, sweep, cell: "unknown", kind: "unknown" };
      await giveUp(message, letterOf(unknown, { reason, worker, attempts: 1 }));
      return null;
    }
  }

  function leaseOf({ message, leaseMs, task, worker, attempt, state }: Delivery): Lease {
    const ended = new AbortController();
    const told = { id: task.id, sweep: task.sweep, attempt, progress: 0, since: clock.now() };
    let isHeld = true;
    let isCancelled = false;
    let extendedAt = clock.now();
    let stopTimer = () => {};
    const release = () => {
      isHeld = false;
      stopTimer();
      leases.delete(entry);
    };
    const lose = (why: string) => {
      if (!isHeld) return;
      release();
      ended.abort(new Error(`lease of ${task.id} has ended: ${why}`));
    };
    const startTimer = () => {
      stopTimer();
      stopTimer = clock.after(leaseMs, () => lose("it could not be extended"));
    };
    const entry = {
      task: told,
      cancel() {
        isCancelled = true;
        lose("its sweep was cancelled");
      },
    };
    leases.add(entry);
    startTimer();

    return {
      task,
      attempt,
      signal: ended.signal,
      checkpoint: () => state.checkpoint(),
      async saveCheckpoint(bytes) {
        if (isHeld) await state.saveCheckpoint(bytes);
      },
      async extend(progress) {
        told.progress = progress;
        const now = clock.now();
        if (!isHeld || now - extendedAt < leaseMs / EXTENSIONS) return;
        extendedAt = now;
        // Confirmed, so that the lease here never outlives the one there.
        await nc.request(message.reply!, "+WPI", { timeout: REQUEST_MS });
        if (!isHeld) return;
        startTimer();
        onEvent({ kind: "extended", task: task.id });
      },
      async complete(result) {
        if (isCancelled) return "exists";
        const outcome = await putResult(task, result);
        if (outcome === "exists") onEvent({ kind: "late", task: task.id });
        // Not waited for: should it be lost, the next delivery finds the result there.
        nc.publish(message.reply!, "+ACK");
        release();
        return outcome;
      },
      async fail(reason) {
        if (!isHeld) return;
        release();
        if (attempt >= policy.maxDeliveries) {
          await giveUp(message, letterOf(task, { reason, worker, attempts: attempt }));
        } else {
          const delay = nanos(policy.backoffMs(attempt));
          await answer(message, `-NAK ${JSON.stringify({ delay })}`);
        }
      },
      async giveBack() {
        if (!isHeld) return;
        release();
        await state.noteReturn();
        await answer(message, "-NAK");
      },
      async reject(reason) {
        if (!isHeld) return;
        release();
        await giveUp(message, letterOf(task, { reason, worker, attempts: attempt }));
      },
    };
  }

  /** A result too large for a message travels as a blob; the message then holds its digest. */
  async function putResult(task: Task, result: TaskResult): Promise<"stored" | "exists"> {
    const bytes = encodeResult(result);
    onEvent({ kind: "result", bytes: bytes.length });
    let message = { payload: bytes, headers: sealed(bytes) };
    if (bytes.length > messageRoom(broker)) {
      const payload = encodeJson({ blob: await blobs.put(task.sweep, bytes) });
      message = { payload, headers: sealed(payload, { [KIND_HEADER]: "blob" }) };
    }
    const subject = subjects.result(task.sweep, task.id);
    return await storeOnce(broker, { subject, ...message }, { signal: whileHere });
  }

  /** It came when nobody wanted it any more: another worker may have it at once. */
  async function giveBackUnseen(message: Msg): Promise<void> {
    await createTaskState(broker, addressed(message), broker.closed).noteReturn();
    await answer(message, "-NAK");
  }

  return {
    async announce(said) {
      const now = clock.now();
      profile = { ...said, since: now, seen: now, running: [] };
      beat();
    },

    async lease({ worker, engine, signal }) {
      for (;;) {
        const pulled = source.next(engine);
        pulls.add(pulled);
        const came = await orAborted(pulled, [signal, whileHere], (late) => {
          if (late !== null) pulls.add(giveBackUnseen(late.message));
        }).finally(() => pulls.delete(pulled));
        if (came === null) continue;
        const lease = await grant(came, worker);
        if (lease !== null) return lease;
      }
    },

    putBlob: (sweep, bytes) => blobs.put(sweep, bytes),
    getBlob: (sweep, digest, { signal }) => blobs.get(sweep, digest, signal),

    async stop() {
      stopped.abort(new Error("the transport has stopped"));
      if (profile !== null && !nc.isClosed()) {
        nc.publish(`$KV.${BUCKETS.workers}.${profile.name}`, new Uint8Array()); // we are here no more
      }
      source.stop();
      clearInterval(beating);
      cancels.unsubscribe();
      await Promise.allSettled(pulls);
    },
  };
}

interface Delivery extends TaskMessage {
  readonly task: Task;
  readonly worker: string;
  readonly attempt: number;
  readonly state: TaskState;
}

function addressed({ subject }: Msg): { sweep: string; id: string } {
  return { sweep: token(subject, 3), id: token(subject, 4) };
}

function letterOf(
  { id: task, sweep, cell, kind }: { id: string; sweep: string; cell: string; kind: string },
  why: Pick<DeadLetter, "reason" | "worker" | "attempts">,
): DeadLetter {
  return { task, sweep, cell, kind, ...why };
}

/**
 * How-manieth delivery a message is, from 1: a token of the subject on which it is acknowledged,
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.…`, from server 2.15 on `$JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.…`.
 */
function deliveryCount({ reply = "" }: Msg): number {
  return Number(token(reply, reply.split(".").length < 11 ? 4 : 6));
}

/** What is promised, or the reason of the first signal that aborts; what comes after that goes to `onLate`. */
function orAborted<T>(
  promised: Promise<T>,
  signals: readonly AbortSignal[],
  onLate: (value: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      const aborted = signals.find((signal) => signal.aborted);
      cleanUp();
      reject(aborted!.reason);
      promised.then(onLate, () => {});
    };
    const cleanUp = () => {
      for (const signal of signals) signal.removeEventListener("abort", abort);
    };
    for (const signal of signals) signal.addEventListener("abort", abort, { once: true });
    if (signals.some((signal) => signal.aborted)) {
      abort();
      return;
    }
    promised.then(resolve, reject).finally(cleanUp);
  });
}
