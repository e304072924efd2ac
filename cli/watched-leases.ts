import type { Lease, WorkerTransport } from "../shared/transport.ts";

export type LeaseEnding = "done" | "failed" | "returned";

export interface LeaseWatcher {
  onStart(): void;
  onEnd(ending: LeaseEnding): void;
}

/** The same transport, whose leases tell when they begin and how they end. */
export function watchedLeases(transport: WorkerTransport, watcher: LeaseWatcher): WorkerTransport {
  return {
    ...transport,
    async lease(options) {
      const lease = await transport.lease(options);
      watcher.onStart();
      return watched(lease, (how) => watcher.onEnd(how));
    },
  };
}

function watched(lease: Lease, onEnd: LeaseWatcher["onEnd"]): Lease {
  const ending =
    <A extends unknown[], T>(how: LeaseEnding, act: (...args: A) => Promise<T>) =>
    async (...args: A) => {
      try {
        return await act(...args);
      } finally {
        onEnd(how);
      }
    };
  return {
    ...lease,
    complete: ending("done", lease.complete),
    fail: ending("failed", lease.fail),
    reject: ending("failed", lease.reject),
    giveBack: ending("returned", lease.giveBack),
  };
}
