/** The tasks that wait for a worker, and which of them is next. */
import { endLease } from "./local-lease.ts";
import type { LocalState, OpenTask } from "./local-state.ts";

export function enqueue(state: LocalState, entry: OpenTask): void {
  state.queue.push(entry);
  state.taskQueued.notifyAll();
}

/** Takes the next task for an engine from the queue: the oldest of the sweep that was served longest ago. */
export function takeNext(state: LocalState, engine: string): OpenTask | undefined {
  const { queue, servedAt } = state;
  let place = -1;
  let longestAgo = Number.POSITIVE_INFINITY;
  for (const [at, { task }] of queue.entries()) {
    const lastTurn = servedAt.get(task.sweep) ?? 0;
    if (task.engine !== engine || lastTurn >= longestAgo) continue;
    place = at;
    longestAgo = lastTurn;
  }
  const [next] = place < 0 ? [] : queue.splice(place, 1);
  if (next !== undefined) servedAt.set(next.task.sweep, ++state.turns);
  return next;
}

/** Removes a task from everything that could deliver it: queue, back-off and lease. */
export function removeTask({ open, queue }: LocalState, entry: OpenTask): void {
  open.delete(entry.task.id);
  entry.stopBackoff();
  endLease(entry);
  const place = queue.indexOf(entry);
  if (place >= 0) queue.splice(place, 1);
}
