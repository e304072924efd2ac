/** Wakes callers that wait until something has changed; they then check what. */
export interface Condition {
  /** Wakes all callers that wait now. */
  notifyAll(): void;
  /** @throws the signal's reason if it aborts first. */
  wait(signal: AbortSignal): Promise<void>;
}

export function createCondition(): Condition {
  let waiters = new Set<() => void>();
  return {
    notifyAll() {
      const woken = waiters;
      waiters = new Set();
      for (const wake of woken) wake();
    },
    wait(signal) {
      return new Promise((resolve, reject) => {
        const wake = () => {
          signal.removeEventListener("abort", abort);
          resolve();
        };
        const abort = () => {
          waiters.delete(wake);
          reject(signal.reason);
        };
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        signal.addEventListener("abort", abort, { once: true });
        waiters.add(wake);
      });
    },
  };
}
