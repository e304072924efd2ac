import { median, significant } from "../engines/statistics.ts";
import { table } from "../engines/table.ts";
import type { Overhead } from "./overhead.ts";
import { GOAL as LARGEST_SHARE, share } from "./overhead.ts";
import type { Scale } from "./scale.ts";
import { GOALS as CROWD } from "./scale.ts";
import type { Throughput } from "./throughput.ts";
import { GOAL as LEAST_RATE } from "./throughput.ts";

/** What was measured; parts that failed or were not requested are absent. */
export interface Measured {
  readonly throughput?: Throughput;
  readonly overhead?: readonly Overhead[];
  readonly scale?: Scale;
}

/** Each goal with what was measured: medians, and whether they meet it. */
export function goalsReport({ throughput, overhead, scale }: Measured): string {
  const row = (goal: string, found: number | undefined, isMet: (found: number) => boolean) => {
    if (found === undefined) return [goal, "not measured", ""];
    return [goal, significant(found), isMet(found) ? "yes" : "**no**"];
  };
  const rows = [
    row(
      `no-op tasks a second: at least ${LEAST_RATE}`,
      throughput && median(throughput.sides[0]!.rate),
      (rate) => rate >= LEAST_RATE,
    ),
    ...(overhead ?? []).map(({ what, runs }) =>
      row(
        `coordinator and broker beside ${what}: under ${100 * LARGEST_SHARE} %`,
        100 * median(runs.map(({ steady }) => share(steady))),
        (percent) => percent < 100 * LARGEST_SHARE,
      ),
    ),
    row(
      `\`ftle status\` in the crowd: under ${CROWD.statusSeconds} s`,
      scale && Math.max(median(scale.status), median(scale.json)),
      (seconds) => seconds < CROWD.statusSeconds,
    ),
    row(
      `coordinator in the crowd: under ${CROWD.coordinatorMegabytes} MB resident`,
      scale?.coordinatorMegabytes,
      (megabytes) => megabytes < CROWD.coordinatorMegabytes,
    ),
  ];
  return table(["goal", "measured", "met"], rows);
}
