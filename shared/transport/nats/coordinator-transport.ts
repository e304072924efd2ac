/** The transport over NATS as a coordinator uses it: queues tasks, reads their outcomes, removes both. */
import { setMaxListeners } from "node:events";
import type { CoordinatorTransport } from "../transport.ts";
import { leasePolicy } from "../transport.ts";
import { createBlobs } from "./blobs.ts";
import { cancelSweep } from "./cancel-sweep.ts";
import type { Broker } from "./connect.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { forgetTask, publishTask } from "./published-tasks.ts";
import type { Queue } from "./queue-list.ts";
import { recentWorkers, runningTasks } from "./recent-workers.ts";
import { sweepOutcomes } from "./sweep-outcomes.ts";
import { openQueue, sweepDepth } from "./sweep-queue.ts";

export interface CoordinatorTransportOptions {
  readonly broker: Broker;
  /** How long a worker may be silent about a task before another gets it. */
  readonly leaseMs?: number;
  /** Interval at which the broker is asked whether it still has the streams and tasks. */
  readonly checkMs?: number;
}

export interface NatsCoordinatorTransport extends CoordinatorTransport {
  /** Makes sure that workers can find a sweep's queue. Idempotent. */
  open(queue: Pick<Queue, "engine" | "sweep" | "priority">): Promise<void>;
  stop(): Promise<void>;
}

export function coordinatorTransport({
  broker,
  leaseMs = leasePolicy.leaseMs,
  checkMs = 2_000,
}: CoordinatorTransportOptions): NatsCoordinatorTransport {
  const stopped = new AbortController();
  const { signal } = stopped;
  setMaxListeners(0, signal); // each waiting request adds one
  const blobs = createBlobs(broker, { signal, mends: true });
  const state: CoordinatorState = {
    broker,
    leaseMs,
    checkMs,
    signal,
    blobs,
    queues: new Map(),
    open: new Map(),
    seenDead: new Map(),
    streamCreated: null,
    workers: null,
  };
  return {
    open: (queue) => openQueue(state, { ...queue, state: "running", leaseMs }),
    publish: (task) => publishTask(state, task),
    outcomes: (sweep, options) => sweepOutcomes(state, sweep, options),
    cancel: (sweep) => cancelSweep(state, sweep),
    forget: (task) => forgetTask(state, task),
    depth: (sweep) => sweepDepth(state, sweep),
    running: (sweep) => runningTasks(state, sweep),
    workers: () => recentWorkers(state),
    putBlob: blobs.put,
    getBlob: (sweep, digest, options) => blobs.get(sweep, digest, options.signal),
    dropBlob: blobs.drop,
    async stop() {
      stopped.abort(new Error("the transport has stopped"));
    },
  };
}
