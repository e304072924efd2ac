/** Tasks that no worker has or can get although they have no outcome: an acknowledgement outlived its result. */
import type { CoordinatorState } from "./coordinator-state.ts";
import { refuseLostStreams } from "./lost-streams.ts";
import { republishTask } from "./published-tasks.ts";
import { pause } from "./retry.ts";
import { isQueueEmpty } from "./sweep-queue.ts";

interface Watch {
  readonly sweep: string;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  /** Outcomes read so far. */
  outcomeCount(): number;
}

/**
 * Checks the broker while outcomes are awaited, and publishes stalled tasks again. A task counts as stalled
 * when its queue was empty at two checks and no outcome came between them.
 *
 * @throws BrokerResetError when the broker has lost its streams; the signal's reason when it aborts.
 */
export async function watchSweep(
  state: CoordinatorState,
  { sweep, signal, outcomeCount }: Watch,
): Promise<never> {
  let countWhenEmpty: number | null = null;
  for (;;) {
    await pause(state.checkMs, signal);
    signal.throwIfAborted();
    await refuseLostStreams(state);
    const tasks = [...state.open.values()].filter((task) => task.sweep === sweep);
    const isEmpty = tasks.length > 0 && (await isQueueEmpty(state, tasks[0]!));
    const isStalled = isEmpty && countWhenEmpty === outcomeCount();
    countWhenEmpty = isEmpty ? outcomeCount() : null;
    if (!isStalled) continue;
    for (const task of tasks) if (state.open.has(task.id)) await republishTask(state, task);
  }
}
