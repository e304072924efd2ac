import type { Clock } from "../clock.ts";

export interface ManualClock extends Clock {
  /** Moves the time on by `ms`; due actions run in the order of their times. */
  advance(ms: number): void;
}

export function manualClock(): ManualClock {
  let now = 0;
  let timers: { at: number; action: () => void }[] = [];
  return {
    now: () => now,
    after(ms, action) {
      const timer = { at: now + ms, action };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        now = due.at;
        due.action();
      }
      now = end;
    },
  };
}
