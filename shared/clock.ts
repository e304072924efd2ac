/** Time, injected so that tests decide when it passes. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls `action` once after `ms`, however long that is; the returned function cancels it. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  after(ms, action) {
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number) => {
      const isLast = leftMs <= LONGEST_TIMER_MS;
      const next = isLast ? action : () => wait(leftMs - LONGEST_TIMER_MS);
      timer = setTimeout(next, Math.min(leftMs, LONGEST_TIMER_MS));
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/** 24.8 days: a timer with a longer wait fires after a millisecond (Node's docs, `setTimeout`). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
