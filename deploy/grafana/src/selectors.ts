/** Parts of queries that several panels share. */
import type { Thresholds } from "./panels.ts";

/** The sweep of the page "Sweep". */
export const ONE_SWEEP = 'sweep="$sweep"';

/** The value of a metric of the sweep, whichever coordinator exports it. */
export const ofSweep = (metric: string) => `max(${metric}{${ONE_SWEEP}})`;

/** The workers of the page "Workers". */
export const WORKERS = 'job=~"$job",instance=~"$instance"';

export const workerRate = (metric: string, by: string) =>
  `sum by (${by}) (rate(${metric}{${WORKERS}}[$__rate_interval]))`;

export const UTILISATION: Thresholds = [
  [null, "red"],
  [0.2, "yellow"],
  [0.7, "green"],
];
