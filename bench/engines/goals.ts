/** What the engines are meant to reach, and whether they did. */
import type { Accuracy } from "./accuracy.ts";
import type { Fig2 } from "./fig2.ts";
import type { Rates } from "./rates.ts";
import { sharesOfPeak, timesAsSlow } from "./rates.ts";
import { median, medianAndRange, significant } from "./statistics.ts";
import { table } from "./table.ts";
import type { Threads } from "./threads.ts";

/** Everything that was measured in this run. */
export interface Measured {
  readonly fields?: readonly Rates[];
  readonly training?: readonly Rates[];
  readonly fig2?: Fig2;
  readonly threads?: Threads;
  readonly accuracy?: Accuracy;
}

interface Goal {
  readonly what: string;
  readonly target: string;
  /** In words, and whether it is enough; null if it was not measured. */
  readonly result: { readonly words: string; readonly isMet: boolean } | null;
}

/** Shares of the FMA peak, in per cent. */
const SHARES = {
  fields: { "N = 10, L = 8": 45, "N = 50, L = 8": 75, "N = 200, L = 8": 92 },
  training: {
    "N = 50, L = 8, batch 20": 55,
    "N = 50, L = 8, batch 128": 65,
    "N = 250, L = 12, batch 128": 80,
  },
} as const;

/** How many times as fast as a peer. */
const RATIOS = {
  fields: {
    "JAX as written": { "N = 10, L = 8": 15, "N = 50, L = 8": 3.5 },
    "JAX expert": { "N = 10, L = 8": 1.7, "N = 50, L = 8": 1.1, "N = 200, L = 8": 1.15 },
    "PyTorch as written": { "N = 10, L = 8": 25, "N = 50, L = 8": 8 },
  },
  training: {
    "JAX scan": {
      "N = 10, L = 12, batch 20": 4,
      "N = 50, L = 8, batch 20": 2,
      "N = 50, L = 8, batch 128": 1.6,
      "N = 250, L = 12, batch 128": 1.2,
    },
    "PyTorch eager": { "N = 50, L = 8, batch 20": 20 },
  },
} as const;

const FIG2 = { oneThread: 1.4, twoThreads: 2.6 };
const THREADS_SHARE = 97;
const TYPICAL_DIFFERENCE = "1e-5";

/** The goals of the sections that were measured as rows, for the engine of that name. */
export function goalsReport(measured: Measured, engine: string): string {
  const rows = goalsOf(measured, engine).map(({ what, target, result }) => [
    what,
    target,
    result?.words ?? "not measured",
    result === null ? "–" : result.isMet ? "met" : "**not met**",
  ]);
  return table([`Goals, engine ${engine}`, "target", "median (range) of the rounds", ""], rows);
}

function goalsOf(measured: Measured, engine: string): Goal[] {
  const { fig2, threads, accuracy } = measured;
  const sections = (["fields", "training"] as const).flatMap((section) => {
    const all = measured[section];
    if (all === undefined) return [];
    return [...shareGoals(section, all, engine), ...ratioGoals(section, all, engine)];
  });
  return [
    ...sections,
    ...(fig2 === undefined ? [] : fig2Goals(fig2)),
    ...(threads === undefined ? [] : threadsGoals(threads)),
    ...(accuracy === undefined ? [] : accuracyGoals(accuracy)),
  ];
}

const NOUN = { fields: "Field", training: "Training" } as const;

function shareGoals(section: keyof typeof SHARES, all: readonly Rates[], engine: string): Goal[] {
  return Object.entries(SHARES[section]).map(([name, target]) => {
    const rates = caseOf(all, name);
    const shares = rates === undefined ? null : sharesOfPeak(rates, engine);
    return {
      what: `${NOUN[section]}, share of the FMA peak, ${name}`,
      target: `${target} %`,
      result: atLeast(shares?.map((share) => 100 * share) ?? null, target, " %"),
    };
  });
}

function ratioGoals(section: keyof typeof RATIOS, all: readonly Rates[], engine: string): Goal[] {
  return Object.entries(RATIOS[section]).flatMap(([peer, targets]) =>
    Object.entries<number>(targets).map(([name, target]) => {
      const rates = caseOf(all, name);
      return {
        what: `${NOUN[section]}, against ${peer}, ${name}`,
        target: `${target} ×`,
        result: atLeast(
          rates === undefined ? null : timesAsSlow(rates, peer, engine),
          target,
          " ×",
        ),
      };
    }),
  );
}

function caseOf(all: readonly Rates[], name: string): Rates | undefined {
  return all.find(({ given }) => given.name === name);
}

function fig2Goals({ isWhole, oneThread, twoThreads }: Fig2): Goal[] {
  const goal = (threads: string, ratios: readonly number[], target: number): Goal => ({
    what: `Fig. 2 from start to end, ${threads} against expert JAX on one core`,
    target: `${target} ×`,
    result: atLeast(isWhole ? ratios : null, target, " ×"),
  });
  return [
    goal("one thread", oneThread, FIG2.oneThread),
    goal("two threads", twoThreads, FIG2.twoThreads),
  ];
}

function threadsGoals({ shares }: Threads): Goal[] {
  return [
    {
      what: "Two threads, share of what two plain processes of the kernel reach together",
      target: `${THREADS_SHARE} %`,
      result: atLeast(
        shares.map((share) => 100 * share),
        THREADS_SHARE,
        " %",
      ),
    },
  ];
}

/** Typical is the median over every kind of networks, the most chaotic included. */
function accuracyGoals(accuracy: Accuracy): Goal[] {
  const typical = Math.max(...accuracy.groups.map((group) => group.median));
  const { p999, worst } = accuracy.all;
  const [middle, most, all] = [typical, p999, worst.difference].map((x) => significant(x, 2));
  const words = `${middle}; 99.9 % of all ${most}, worst ${all}`;
  return [
    {
      what: "λ₁ against the reference, typical difference; the worst is stated",
      target: `< ${TYPICAL_DIFFERENCE}`,
      result: { words, isMet: typical < Number(TYPICAL_DIFFERENCE) },
    },
  ];
}

function atLeast(values: readonly number[] | null, target: number, unit: string): Goal["result"] {
  if (values === null || values.length === 0) return null;
  return { words: `${medianAndRange(values)}${unit}`, isMet: median(values) >= target };
}
