/** The outcomes of tasks: recorded once for each task, delivered until they are acknowledged. */
import { removeTask } from "./local-queue.ts";
import type { LocalState, OpenTask, PendingOutcome } from "./local-state.ts";
import type { Outcome } from "./transport.ts";
import { taskOf } from "./transport.ts";

/** Records the outcome of an open task, which is then no longer delivered. */
export function settle(state: LocalState, entry: OpenTask, outcome: PendingOutcome): void {
  const { id, sweep } = entry.task;
  removeTask(state, entry);
  state.settled.set(sweep, (state.settled.get(sweep) ?? new Set()).add(id));
  const waiting = state.outcomes.get(sweep);
  if (waiting === undefined) state.outcomes.set(sweep, [outcome]);
  else waiting.push(outcome); // a copy would cost more the further the reader is behind
  state.outcomeAdded.notifyAll();
}

/** Outcomes as they come. Those that were not acknowledged go back to the front when the reader ends. */
export async function* readOutcomes(
  state: LocalState,
  sweep: string,
  { signal }: { signal: AbortSignal },
): AsyncGenerator<Outcome> {
  const { outcomes, outcomeAdded, settled } = state;
  const unacknowledged = new Set<PendingOutcome>();
  try {
    for (;;) {
      const outcome = outcomes.get(sweep)?.shift();
      if (outcome === undefined) {
        if (signal.aborted || state.isStopped) break;
        await outcomeAdded.wait(signal).catch(() => {}); // an abort is noticed in the next round
        continue;
      }
      unacknowledged.add(outcome);
      yield {
        ...outcome,
        async ack() {
          unacknowledged.delete(outcome);
          settled.get(sweep)?.delete(taskOf(outcome));
        },
      };
    }
  } finally {
    outcomes.set(sweep, [...unacknowledged, ...(outcomes.get(sweep) ?? [])]);
  }
}

/** Removes a task's outcome, if it has one, so that the task can be published again. */
export function forgetOutcome(
  { settled, outcomes }: LocalState,
  { id, sweep }: { readonly id: string; readonly sweep: string },
): void {
  settled.get(sweep)?.delete(id);
  const isOther = (outcome: PendingOutcome) => taskOf(outcome) !== id;
  outcomes.set(sweep, (outcomes.get(sweep) ?? []).filter(isOther));
}
