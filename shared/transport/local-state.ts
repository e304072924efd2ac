import type { Clock } from "../clock.ts";
import type { Task } from "../messages.ts";
import type { Condition } from "./condition.ts";
import type { LeasePolicy, Outcome, WorkerProfile } from "./transport.ts";

/** Everything that the transport within one process remembers. */
export interface LocalState {
  readonly policy: LeasePolicy;
  readonly clock: Clock;
  /** Tasks without an outcome, by id. */
  readonly open: Map<string, OpenTask>;
  /** Open tasks that a worker can get now, oldest first. */
  readonly queue: OpenTask[];
  /** Notified when a task joins the queue, and on stop. */
  readonly taskQueued: Condition;
  /** How many tasks have been taken from the queue. */
  turns: number;
  /** The turn at which each sweep was last served, by sweep. */
  readonly servedAt: Map<string, number>;
  /** Ids of the tasks with an outcome that is not acknowledged, by sweep: publishing one of them again does nothing. */
  readonly settled: Map<string, Set<string>>;
  /** Outcomes that are not read yet, by sweep, oldest first. */
  readonly outcomes: Map<string, PendingOutcome[]>;
  /** Notified when an outcome is added, and on stop. */
  readonly outcomeAdded: Condition;
  /** By sweep, then by digest. */
  readonly blobs: Map<string, Map<string, Uint8Array>>;
  /** The announced workers, by name; `since` in milliseconds since the epoch. */
  readonly workers: Map<string, WorkerProfile & { readonly since: number }>;
  isStopped: boolean;
}

/** A task without an outcome: leased, in the queue, or in back-off on its way there. */
export interface OpenTask {
  readonly task: Task;
  /** Deliveries so far, without those that were given back. */
  deliveries: number;
  /** The last one saved; null if none. */
  checkpoint: Uint8Array | null;
  /** null while no worker has the task. */
  lease: LocalLease | null;
  /** Stops the timer of the back-off, if one runs. */
  stopBackoff(): void;
}

export interface LocalLease {
  readonly worker: string;
  /** 0…1, as last reported. */
  progress: number;
  /** When it began; milliseconds since the epoch. */
  readonly since: number;
  /** Aborts when the lease ends. */
  readonly ended: AbortController;
  /** Called when the worker has been silent for too long. */
  onExpired(): void;
  /** Stops the timer that waits for that. */
  stopTimer(): void;
}

export type PendingOutcome = DistributiveOmit<Outcome, "ack">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
