/** How a worker reports every few seconds that it runs, and on what; `workers.ts` reads the reports. */
import type { WorkerProfile, WorkerStatus } from "../transport.ts";
import { encodeJson } from "./envelope.ts";
import { BUCKETS } from "./names.ts";
import type { WorkerState } from "./worker-state.ts";

/** The first heartbeat of a worker; `startHeartbeats` sends the others. */
export function announceWorker(state: WorkerState, profile: WorkerProfile): void {
  state.profile = { ...profile, since: state.clock.now() };
  beat(state);
}

/** @returns what stops the heartbeats and removes the last one from the broker. */
export function startHeartbeats(state: WorkerState, beatMs: number): () => void {
  const timer = setInterval(() => beat(state), beatMs);
  return () => {
    clearInterval(timer);
    const { profile } = state;
    const { nc } = state.broker;
    if (profile !== null && !nc.isClosed()) nc.publish(subjectOf(profile), new Uint8Array());
  };
}

function beat({ broker: { nc }, profile, leases, clock, signal }: WorkerState): void {
  if (profile === null || signal.aborted || nc.isClosed()) return;
  const running = [...leases].map(({ report }) => report);
  const status: WorkerStatus = { ...profile, seen: clock.now(), running };
  nc.publish(subjectOf(profile), encodeJson(status)); // not confirmed: the next one repeats it
}

function subjectOf({ name }: WorkerProfile): string {
  return `$KV.${BUCKETS.workers}.${name}`;
}
