import type { Msg } from "@nats-io/transport-node";
import type { Clock } from "../../clock.ts";
import type { Task } from "../../messages.ts";
import type { LeasePolicy, WorkerProfile, WorkerTask } from "../transport.ts";
import type { BlobStore } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import type { MessageSource } from "./next-message.ts";
import type { TaskState } from "./task-state.ts";
import type { WorkerTransportEvent } from "./worker-events.ts";

/** Everything that a worker's transport remembers. */
export interface WorkerState {
  readonly broker: Broker;
  readonly policy: Pick<LeasePolicy, "maxDeliveries" | "backoffMs">;
  readonly clock: Clock;
  onEvent(event: WorkerTransportEvent): void;
  /** Aborts when the transport stops: it ends every wait for a task or for the broker. */
  readonly signal: AbortSignal;
  /** Where tasks come from. */
  readonly source: MessageSource;
  readonly blobs: BlobStore;
  /** Requests for a task, and returns of tasks that came too late for theirs; `stop` waits for them. */
  readonly pulls: Set<Promise<unknown>>;
  /** The leases that have not ended. */
  readonly leases: Set<HeldLease>;
  /** What the heartbeats say of the worker, with the time when it was announced; null before that. */
  profile: (WorkerProfile & Pick<WorkerTask, "since">) | null;
}

/** A task that the broker has delivered to a worker. */
export interface Delivery {
  readonly task: Task;
  /** The broker's message, by which the task is acknowledged or returned. */
  readonly message: Msg;
  /** The worker's name. */
  readonly worker: string;
  /** Deliveries so far, without those that were given back; from 1. */
  readonly attempt: number;
  /** How long the lease lasts without being extended. */
  readonly leaseMs: number;
  readonly taskState: TaskState;
}

export interface HeldLease {
  readonly delivery: Delivery;
  /** What the heartbeats say of the task; `progress` changes. */
  readonly report: { -readonly [K in keyof WorkerTask]: WorkerTask[K] };
  /** False when the task was handed in or given back, and when the lease was lost. */
  isHeld: boolean;
  /** Whether the task's sweep was cancelled. */
  isCancelled: boolean;
  /** Aborts when the lease is lost. */
  readonly lost: AbortController;
  /** When the broker was last asked to extend it; milliseconds since the epoch. */
  extendedAt: number;
  /** Stops the timer after which the lease is lost. */
  stopTimer(): void;
}
