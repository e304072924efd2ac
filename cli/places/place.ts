/** Where a run's tasks are computed. */
import type { ProgressReport } from "../../coordinator/run/progress.ts";
import { localTransport } from "../../shared/transport/local.ts";
import type { QueueNumbers } from "../../shared/transport/nats/observe.ts";
import type { CoordinatorTransport } from "../../shared/transport/transport.ts";

export interface Work {
  readonly transport: CoordinatorTransport;
  /** Aborts when the run is to end, or cannot go on. */
  readonly signal: AbortSignal;
  /** Threads that compute for us now. */
  threads(): number;
  /** Calls back whenever these may have changed; absent where they stay the same. */
  onThreads?(listener: () => void): void;
  /** Work per second of one of them; null if not known yet. */
  rates(): { readonly train: number; readonly field: number } | null;
  /** A note on the workers, shown beside the progress; "" for none. */
  note(): string;
  /** Whether the sweep is paused. */
  isPaused(): boolean;
  /** The sweep's queue at the broker; null without one, or if it is not known yet. */
  queue(): QueueNumbers | null;
  /** Publishes the run's progress. */
  report(progress: ProgressReport): void;
}

export interface SweepToRun {
  readonly sweep: string;
  readonly name: string;
  readonly engine: string;
}

/** Sets up where to compute, lets `use` do so, and cleans up afterwards. */
export type WorkPlace = <T>(
  sweep: SweepToRun,
  signal: AbortSignal,
  use: (work: Work) => Promise<T>,
) => Promise<T>;

/** For runs that compute nothing. */
export const noWork: WorkPlace = async (_, signal, use) => {
  const transport = localTransport();
  try {
    return await use({
      transport,
      signal,
      threads: () => 1, // the coordinator's own, beside the store
      rates: () => null,
      note: () => "",
      isPaused: () => false,
      queue: () => null,
      report() {},
    });
  } finally {
    await transport.stop();
  }
};
