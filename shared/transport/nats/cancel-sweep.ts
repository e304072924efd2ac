import type { CoordinatorState } from "./coordinator-state.ts";
import { CANCEL_SUBJECT, STREAMS, subjects } from "./names.ts";
import { setup } from "./setup.ts";
import { purge } from "./store-once.ts";
import { removeQueues } from "./sweep-queue.ts";

/** Removes everything about a sweep from the broker, and has workers abort its tasks. */
export async function cancelSweep(state: CoordinatorState, sweep: string): Promise<void> {
  const { broker, signal, open, seenDead } = state;
  await setup(broker, undefined, { signal }); // without streams the broker would not answer
  await removeQueues(state, sweep);
  broker.nc.publish(`${CANCEL_SUBJECT}.${sweep}`);
  const places = [
    { stream: STREAMS.results, filter: subjects.result(sweep, ">") },
    { stream: STREAMS.dead, filter: subjects.dead(sweep, ">") },
    { stream: STREAMS.blobs, filter: `ftle.blob.${sweep}.>` },
    { stream: STREAMS.state, filter: subjects.state(sweep, ">") },
  ];
  for (const place of places) await purge(broker, place, { signal });
  for (const [id, task] of open) if (task.sweep === sweep) open.delete(id);
  for (const [id, of] of seenDead) if (of === sweep) seenDead.delete(id);
}
