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
  /** Calls back whenever there may be others; absent where they stay the same. */
  onThreads?(listener: () => void): void;
  /** Work a second of one of them; null if not known yet. */
  rates(): { readonly train: number; readonly field: number } | null;
  /** What there is to say of who works, beside the progress; "" for nothing. */
  note(): string;
  /** Whether somebody has paused the sweep. */
  isPaused(): boolean;
  /** The sweep's queue at the broker; null without one, or if it is not known yet. */
  queue(): QueueNumbers | null;
  /** Shows others how far the run is. */
  report(progress: ProgressReport): void;
}

export interface SweepToRun {
  readonly sweep: string;
  readonly name: string;
  readonly engine: string;
}

/** Sets up where to compute, lets `use` do so, and puts everything away again. */
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
      threads: () => 0,
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
