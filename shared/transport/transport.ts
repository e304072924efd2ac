import type { DeadLetter, Task, TaskResult } from "../messages.ts";

/**
 * How tasks and results travel. Every implementation passes `testing/transport-contract.ts`.
 *
 * Delivery is at least once. A task is known by its id: publishing it again is harmless, and the
 * first stored result of a task wins. Nothing here decides what is done; the store does.
 */
export interface Transport extends CoordinatorTransport, WorkerTransport {
  /** Ends all waiting calls and all leases. Idempotent. */
  stop(): Promise<void>;
}

export interface CoordinatorTransport extends Blobs {
  /** Queues a task, unless it is queued, leased, or has an outcome. */
  publish(task: Task): Promise<void>;
  /**
   * Results and dead letters of a sweep as they come; ends when `signal` aborts, after those that have come
   * by then. One that is not acknowledged is delivered again by the next call.
   */
  outcomes(sweep: string, options: { signal: AbortSignal }): AsyncIterable<Outcome>;
  /** Removes the sweep's queued tasks and outcomes; aborts its leases. */
  cancel(sweep: string): Promise<void>;
  /** Removes a task and its outcome, so that it can be published again. */
  forget(task: Pick<Task, "id" | "sweep" | "engine">): Promise<void>;
  depth(sweep: string): Promise<Depth>;
  /** The sweep's leased tasks, longest running first, as their workers last reported. */
  running(sweep: string): Promise<readonly RunningTask[]>;
  /** The workers that have reported recently. */
  workers(): Promise<readonly WorkerStatus[]>;
  /** Removes a blob of a sweep; a missing one is no error. */
  dropBlob(sweep: string, digest: string): Promise<void>;
}

/** Bytes such as weights, stored for each sweep under the digest of their content (`sha256:…`). */
export interface Blobs {
  /** @returns the digest. */
  putBlob(sweep: string, bytes: Uint8Array): Promise<string>;
  /** @throws Error if the sweep has no blob of this digest. */
  getBlob(sweep: string, digest: string, options: { signal: AbortSignal }): Promise<Uint8Array>;
}

export interface WorkerTransport extends Blobs {
  /** Makes a worker and its tasks visible to coordinators until the transport stops. */
  announce(profile: WorkerProfile): Promise<void>;
  /** Waits for a task of this engine. @throws the signal's reason when it aborts. */
  lease(options: { worker: string; engine: string; signal: AbortSignal }): Promise<Lease>;
}

/** A worker's time-limited right to a task. It ends when its time passes without `extend`. */
export interface Lease {
  readonly task: Task;
  /** Number of this delivery, from 1; deliveries that were given back do not count. */
  readonly attempt: number;
  /** Aborts when the task is cancelled or the lease has ended: further work on it is useless. */
  readonly signal: AbortSignal;
  /** The last checkpoint that an earlier delivery saved; null if none. */
  checkpoint(): Promise<Uint8Array | null>;
  /** Replaces the task's checkpoint. Does nothing once the lease has ended. */
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
  /** Starts the lease's time again and reports the progress, 0…1. */
  extend(progress: number): Promise<void>;
  /** Hands in the result; `exists` if another came first. Works even after the lease has ended. */
  complete(result: TaskResult): Promise<"stored" | "exists">;
  /**
   * Has the task delivered again after a back-off that grows with the attempts; after the last
   * delivery allowed, it becomes a dead letter with this reason.
   */
  fail(reason: DeadLetter["reason"]): Promise<void>;
  /** Has the task delivered again at once; this delivery does not count. */
  giveBack(): Promise<void>;
  /** Makes the task a dead letter at once. */
  reject(reason: DeadLetter["reason"]): Promise<void>;
}

export type Outcome = { ack(): Promise<void> } & (
  | { readonly kind: "result"; readonly result: TaskResult }
  | { readonly kind: "dead"; readonly letter: DeadLetter }
);

/** The id of the task that an outcome is of. */
export function taskOf(
  outcome:
    | { readonly kind: "result"; readonly result: TaskResult }
    | { readonly kind: "dead"; readonly letter: DeadLetter },
): string {
  return outcome.kind === "dead" ? outcome.letter.task : outcome.result.task;
}

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
  /** 0…1, as last reported. */
  readonly progress: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What a worker reports about itself when it starts. */
export interface WorkerProfile {
  readonly name: string;
  /** Id of its engine. */
  readonly engine: string;
  readonly threads: number;
  /** Version of the program. */
  readonly version: string;
  /** Work per second and thread, as measured when it started (`shared/work.ts`). */
  readonly rates: { readonly train: number; readonly field: number };
  /** `host:port` at which it serves its metrics, if any. */
  readonly metrics?: string | undefined;
}

export interface WorkerStatus extends WorkerProfile {
  /** When it started, and when it last reported; milliseconds since the epoch. */
  readonly since: number;
  readonly seen: number;
  readonly running: readonly WorkerTask[];
}

/** A task as its worker reports it. */
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
  /** A lease ends when it was not extended for this long. */
  readonly leaseMs: number;
  /** The most deliveries of a task. */
  readonly maxDeliveries: number;
  /** Pause before the delivery after the n-th failure, n ≥ 1. */
  backoffMs(failures: number): number;
}

export const leasePolicy: LeasePolicy = {
  leaseMs: 60_000,
  maxDeliveries: 5,
  backoffMs: (failures) => Math.min(500 * 2 ** (failures - 1), 30_000),
};
