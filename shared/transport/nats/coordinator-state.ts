import type { Task } from "../../messages.ts";
import type { WorkerStatus } from "../transport.ts";
import type { BlobStore } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import type { Queue } from "./queue-list.ts";

/** Everything that a coordinator's transport remembers. What the sweep needs is on the broker and in the store. */
export interface CoordinatorState {
  readonly broker: Broker;
  /** How long a worker may be silent about a task before another gets it. */
  readonly leaseMs: number;
  /** Interval at which the broker is asked whether it still has the streams and tasks. */
  readonly checkMs: number;
  /** Aborts when the transport stops: it ends every wait for the broker. */
  readonly signal: AbortSignal;
  readonly blobs: BlobStore;
  /** The queues opened here, by `queueName`. */
  readonly queues: Map<string, OpenedQueue>;
  /** Tasks published here that have no outcome yet, by id. */
  readonly open: Map<string, Task>;
  /**
   * Ids of the tasks whose dead letters were acknowledged here, with their sweeps. The letters stay on the broker for
   * `ftle status` until the sweep ends, and must not be delivered again.
   */
  readonly seenDead: Map<string, string>;
  /** When the broker created the stream of tasks (RFC 3339); null before it was looked at. */
  streamCreated: string | null;
  /** The last reading of the workers' heartbeats; null before the first. */
  workers: WorkersReading | null;
}

export interface OpenedQueue {
  readonly queue: Queue;
  /** Resolves when workers can find the queue. */
  readonly opened: Promise<void>;
}

export interface WorkersReading {
  readonly found: Promise<WorkerStatus[]>;
  /** When to read again, by `performance.now()`; infinite while the reading runs. */
  staleAt: number;
}
