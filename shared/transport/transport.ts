import type { DeadLetter, Task, TaskResult } from "../messages.ts";

/**
 * How tasks and results travel. Every implementation passes `testing/transport-contract.ts`.
 *
 * Delivery is at least once. A task is known by its id: publishing it again is harmless, and the
 * first stored result of a task wins. Nothing here decides what is done; the store does.
 */
export interface Transport extends CoordinatorTransport, WorkerTransport {
  /** Wakes every waiter with an abort and lets go of everything. Idempotent. */
  stop(): Promise<void>;
}

export interface CoordinatorTransport extends Blobs {
  /** Queues a task, unless it is queued, leased, or has an outcome. */
  publish(task: Task): Promise<void>;
  /**
   * Results and dead letters of a sweep as they come; those that have come when `signal` aborts are the
   * last. One that is not acknowledged is delivered again by the next call.
   */
  outcomes(sweep: string, options: { signal: AbortSignal }): AsyncIterable<Outcome>;
  /** Forgets the sweep's queued tasks and outcomes; aborts its leases. */
  cancel(sweep: string): Promise<void>;
  /** Forgets a task and its outcome, so that it can be published anew. */
  forget(task: Pick<Task, "id" | "sweep" | "engine">): Promise<void>;
  depth(sweep: string): Promise<Depth>;
  /** The sweep's leased tasks, longest running first, as their workers last told. */
  running(sweep: string): Promise<readonly RunningTask[]>;
  /** The workers heard of lately. */
  workers(): Promise<readonly WorkerStatus[]>;
  /** Forgets a blob of a sweep; one that is not there is no fault. */
  dropBlob(sweep: string, digest: string): Promise<void>;
}

/** Weights, each sweep's own, known by the digest of their content (`sha256:…`). */
export interface Blobs {
  /** @returns the digest. */
  putBlob(sweep: string, bytes: Uint8Array): Promise<string>;
  /** @throws Error if the sweep has no blob of this digest. */
  getBlob(sweep: string, digest: string, options: { signal: AbortSignal }): Promise<Uint8Array>;
}

export interface WorkerTransport extends Blobs {
  /** Makes a worker known, with what it runs, from now on until the transport stops. */
  announce(profile: WorkerProfile): Promise<void>;
  /** Waits for a task of this engine. @throws the signal's reason when it aborts. */
  lease(options: { worker: string; engine: string; signal: AbortSignal }): Promise<Lease>;
}

/** A worker's time-limited right to a task. It ends when its time passes without `extend`. */
export interface Lease {
  readonly task: Task;
  /** How-manieth delivery this is, from 1. */
  readonly attempt: number;
  /** Aborts when the task is cancelled or the lease has ended: work on it is in vain. */
  readonly signal: AbortSignal;
  /** What an earlier delivery saved last, for going on from there; null if nothing. */
  checkpoint(): Promise<Uint8Array | null>;
  /** Saves how far the work is, instead of what was saved before. Idle once the lease has ended. */
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
  /** Starts the lease's time anew and tells how far the work is, 0…1. */
  extend(progress: number): Promise<void>;
  /** Hands in the result; `exists` if another came first. Works even after the lease has ended. */
  complete(result: TaskResult): Promise<"stored" | "exists">;
  /**
   * Gives the task back to be delivered again after a back-off that grows with the attempts; after
   * the last delivery allowed it becomes a dead letter with this reason.
   */
  fail(reason: DeadLetter["reason"]): Promise<void>;
  /** Gives the task back at once and unharmed: this delivery does not count. */
  giveBack(): Promise<void>;
  /** Makes the task a dead letter at once. */
  reject(reason: DeadLetter["reason"]): Promise<void>;
}

export type Outcome = { ack(): Promise<void> } & (
  | { readonly kind: "result"; readonly result: TaskResult }
  | { readonly kind: "dead"; readonly letter: DeadLetter }
);

export interface Depth {
  /** Tasks queued, back-off included. */
  readonly waiting: number;
  /** Tasks leased. */
  readonly inFlight: number;
}

export interface RunningTask {
  readonly task: Task;
  readonly worker: string;
  readonly attempt: number;
  /** 0…1, as last told. */
  readonly progress: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What a worker says of itself when it starts. */
export interface WorkerProfile {
  readonly name: string;
  /** Id of its engine. */
  readonly engine: string;
  readonly threads: number;
  /** Version of the program. */
  readonly version: string;
  /** Work a second of one of its threads, as measured when it started (`shared/work.ts`). */
  readonly rates: { readonly train: number; readonly field: number };
  /** `host:port` at which it serves its metrics, if it does. */
  readonly metrics?: string | undefined;
}

export interface WorkerStatus extends WorkerProfile {
  /** When it started, and when it was last heard of; milliseconds since the epoch. */
  readonly since: number;
  readonly seen: number;
  readonly running: readonly WorkerTask[];
}

/** A task as its worker tells of it. */
export interface WorkerTask {
  readonly id: string;
  readonly sweep: string;
  readonly attempt: number;
  /** 0…1. */
  readonly progress: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** How long a worker may be silent, and how often a task may fail. */
export interface LeasePolicy {
  /** A lease not extended for so long has ended. */
  readonly leaseMs: number;
  /** A task is delivered at most so often. */
  readonly maxDeliveries: number;
  /** Pause before the delivery after the n-th failure, n ≥ 1. */
  backoffMs(failures: number): number;
}

export const leasePolicy: LeasePolicy = {
  leaseMs: 60_000,
  maxDeliveries: 5,
  backoffMs: (failures) => Math.min(500 * 2 ** (failures - 1), 30_000),
};
