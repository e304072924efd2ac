/** The transport over NATS as a worker uses it: takes tasks, keeps their leases, hands in results. */
import { setMaxListeners } from "node:events";
import type { Msg } from "@nats-io/transport-node";
import type { Clock } from "../../clock.ts";
import { systemClock } from "../../clock.ts";
import type { LeasePolicy, WorkerTransport } from "../transport.ts";
import { leasePolicy } from "../transport.ts";
import { createBlobs } from "./blobs.ts";
import type { Broker } from "./connect.ts";
import { announceWorker, startHeartbeats } from "./heartbeat.ts";
import { followCancellations } from "./held-lease.ts";
import { nextLease } from "./next-lease.ts";
import { messageSource } from "./next-message.ts";
import { returnUnseen } from "./task-retry.ts";
import type { WorkerTransportEvent } from "./worker-events.ts";
import type { WorkerState } from "./worker-state.ts";

export interface WorkerTransportOptions {
  readonly broker: Broker;
  readonly policy?: Pick<LeasePolicy, "maxDeliveries" | "backoffMs">;
  /** Interval of the heartbeats. */
  readonly beatMs?: number;
  /** Interval at which the list of queues is read again; it is also read when a coordinator changes it. */
  readonly listMs?: number;
  /** How long one request for a task waits at the broker. */
  readonly pullMs?: number;
  readonly clock?: Clock;
  onEvent?(event: WorkerTransportEvent): void;
}

export interface NatsWorkerTransport extends WorkerTransport {
  /** Ends all waiting calls and returns tasks that come too late. The connection stays open. */
  stop(): Promise<void>;
}

export function workerTransport(options: WorkerTransportOptions): NatsWorkerTransport {
  const { beatMs = 5_000, ...others } = options;
  const stopped = new AbortController();
  const state = createState(others, stopped.signal);
  const stopCancellations = followCancellations(state);
  const stopHeartbeats = startHeartbeats(state, beatMs);
  return {
    announce: async (profile) => announceWorker(state, profile),
    lease: (wanted) => nextLease(state, wanted),
    putBlob: (sweep, bytes) => state.blobs.put(sweep, bytes),
    getBlob: (sweep, digest, { signal }) => state.blobs.get(sweep, digest, signal),
    async stop() {
      stopped.abort(new Error("the transport has stopped"));
      stopHeartbeats();
      stopCancellations();
      await state.source.stop();
      // What came late is being returned.
      for (let known = -1; known !== state.pulls.size; ) {
        known = state.pulls.size;
        await Promise.allSettled(state.pulls);
      }
    },
  };
}

function createState(
  {
    broker,
    policy = leasePolicy,
    listMs = 5_000,
    pullMs = 2_000,
    clock = systemClock,
    onEvent = () => {},
  }: WorkerTransportOptions,
  signal: AbortSignal,
): WorkerState {
  setMaxListeners(0, signal); // each thread adds a few
  const pulls = new Set<Promise<unknown>>();
  const onLate = (message: Msg) => pulls.add(returnUnseen(broker, message));
  const source = messageSource(broker, { signal, listMs, pullMs, onLate });
  const blobs = createBlobs(broker, { signal, mends: false }, (event) =>
    onEvent({ kind: "blob", cached: event === "hit" }),
  );
  const leases: WorkerState["leases"] = new Set();
  return { broker, policy, clock, onEvent, signal, source, blobs, pulls, leases, profile: null };
}
