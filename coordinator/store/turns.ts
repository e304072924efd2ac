/** Lets the event loop turn during long synchronous work. */
import { setImmediate as loopTurn } from "node:timers/promises";

export interface Turns {
  /** Whether the event loop has been held up for long enough. */
  isDue(): boolean;
  /** @throws the signal's reason if it has aborted. */
  take(): Promise<void>;
}

const LONGEST_MS = 15;

/** The first turn is due at once. */
export function turns(signal?: AbortSignal): Turns {
  let last = Number.NEGATIVE_INFINITY;
  return {
    isDue: () => performance.now() - last > LONGEST_MS,
    async take() {
      await loopTurn();
      signal?.throwIfAborted();
      last = performance.now();
    },
  };
}
