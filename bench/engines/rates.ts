/** How fast each contestant is: they take turns, so that disturbances of the machine affect all. */
import type { Case } from "./cases.ts";
import { expectedOf } from "./cases.ts";
import type { Contestant } from "./contestant.ts";
import { startContestant } from "./contestant.ts";
import type { Entry } from "./contestants.ts";
import { PEAK } from "./contestants.ts";
import { median, medianAndRange, ratios, significant } from "./statistics.ts";
import { table } from "./table.ts";

/** λ₁ in float32 and losses of the first steps agree far better than this if all compute the same. */
const TOLERANCE = 1e-4;

export interface Effort {
  readonly quick: boolean;
  readonly rounds: number;
  /** What a contestant is given in a round. */
  readonly milliseconds: number;
}

/** What one contestant did in one case. */
export interface Row {
  readonly name: string;
  /** For each round: seconds per grid point, network-step or, for the peak, flop. */
  readonly seconds: readonly number[];
  readonly chosen: string;
  /** Largest absolute difference from the float64 definition. */
  readonly difference: number;
}

export interface Rates {
  readonly given: Case;
  readonly rows: readonly Row[];
  /** Contestants that failed, or computed something else, and why. */
  readonly failures: readonly string[];
}

/** Runs every case with all its contestants, on one core. */
export async function* measureRates(
  cases: readonly Case[],
  entries: readonly Entry[],
  { effort, cores }: { effort: Effort; cores: readonly number[] },
): AsyncGenerator<Rates> {
  const taking = entries.filter(({ takes }) => cases.some((given) => takes(given, effort)));
  const started = taking.map((entry) => ({ entry, contestant: startContestant(entry, cores) }));
  try {
    for (const given of cases) {
      const here = started.filter(({ entry }) => entry.takes(given, effort));
      const contestants = here.map(({ contestant }) => contestant);
      yield await measureCase(given, contestants, effort);
    }
  } finally {
    await Promise.all(started.map(({ contestant }) => contestant.stop()));
  }
}

async function measureCase(
  given: Case,
  contestants: readonly Contestant[],
  { rounds, milliseconds }: Effort,
): Promise<Rates> {
  const expected = expectedOf(given);
  const failures: string[] = [];
  const ready: { contestant: Contestant; row: Omit<Row, "name">; seconds: number[] }[] = [];
  for (const contestant of contestants) {
    try {
      const { check, chosen } = await contestant.prepare(given);
      const difference = contestant.name === PEAK ? 0 : largestDifference(check, expected);
      if (!(difference < TOLERANCE)) throw new Error(`differs by ${difference} from the reference`);
      await contestant.run(0); // the first time is slower than the others
      const seconds: number[] = [];
      ready.push({ contestant, row: { seconds, chosen, difference }, seconds });
    } catch (error) {
      failures.push(`${contestant.name}: ${(error as Error).message}`);
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const { contestant, seconds } of ready) {
      const timed = await contestant.run(milliseconds);
      seconds.push(timed.seconds / timed.units);
    }
  }
  const rows = ready.map(({ contestant, row }) => ({ name: contestant.name, ...row }));
  return { given, rows, failures };
}

function largestDifference(values: readonly number[], expected: readonly number[]): number {
  if (values.length !== expected.length) return Number.POSITIVE_INFINITY;
  return Math.max(...values.map((value, i) => Math.abs(value - expected[i]!)));
}

/** Share of the FMA peak in each round; null if either was not measured. */
export function sharesOfPeak({ given, rows }: Rates, name: string): number[] | null {
  const [peak, row] = [rowOf(rows, PEAK), rowOf(rows, name)];
  if (peak === undefined || row === undefined) return null;
  return ratios(peak.seconds, row.seconds).map((ratio) => ratio * given.flops);
}

/** How many times as slow as `name` another is, in each round; null if either was not measured. */
export function timesAsSlow({ rows }: Rates, other: string, name: string): number[] | null {
  const [a, b] = [rowOf(rows, other), rowOf(rows, name)];
  return a === undefined || b === undefined ? null : ratios(a.seconds, b.seconds);
}

function rowOf(rows: readonly Row[], name: string): Row | undefined {
  return rows.find((row) => row.name === name);
}

/** Each contestant's best, its spread, share of the peak, and ratio to our fastest engine. */
export function ratesReport(rates: Rates): string {
  const { given, rows, failures } = rates;
  const isField = given.kind === "field";
  const peak = rowOf(rows, PEAK);
  const timed = rows.filter((row) => row !== peak);
  const first = timed[0]?.name ?? "";
  const body = timed.map(({ name, seconds, chosen, difference }) => {
    const best = Math.min(...seconds);
    const shares = sharesOfPeak(rates, name);
    return [
      name,
      significant(isField ? 1e-6 / best : best * 1e6),
      `${significant((median(seconds) / best - 1) * 100, 2)}, ${significant((Math.max(...seconds) / best - 1) * 100, 2)} %`,
      significant((given.flops / best) * 1e-9),
      shares === null ? "" : `${significant(median(shares) * 100)} %`,
      name === first ? "1" : medianAndRange(timesAsSlow(rates, name, first)!),
      chosen,
      significant(difference, 2),
    ];
  });
  const head = [
    given.name,
    isField ? "10⁶ points/s" : "µs a step",
    "median, worst over best",
    "GFLOP/s",
    "of peak",
    `times as slow as ${first}`,
    "chosen",
    "largest difference",
  ];
  const notes = failures.map((failure) => `- not measured: ${failure}`);
  if (peak !== undefined) {
    notes.unshift(
      `- FMA peak ${medianAndRange(peak.seconds.map((s) => 1e-9 / s))} GFLOP/s; ${significant(given.flops)} flops ${isField ? "a point" : "a step"}`,
    );
  }
  return [table(head, body), "", ...notes].join("\n");
}
