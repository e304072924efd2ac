/** Whether threads make the kernel slower: the worker's pool compared with plain processes. */
import type { FieldCase } from "./cases.ts";
import type { Contestant } from "./contestant.ts";
import { startContestant } from "./contestant.ts";
import { engineEntry, nodeCommand } from "./contestants.ts";
import type { Pinned } from "./machine.ts";
import type { Effort } from "./rates.ts";
import { medianAndRange, ratios } from "./statistics.ts";
import { table } from "./table.ts";

export interface Threads {
  readonly given: FieldCase;
  /** Grid points a second in each round. */
  readonly points: Readonly<Record<Contender, readonly number[]>>;
  /** Of each round: two threads together against two processes together. */
  readonly shares: readonly number[];
}

type Contender = "one process" | "two processes" | "one thread" | "two threads";

/** Enough tasks in a turn that its beginning and end do not matter. */
const TURN = 4;

export async function measureThreads(
  given: FieldCase,
  engine: string,
  { effort, cores }: { effort: Effort; cores: Pinned },
): Promise<Threads> {
  const pool = (threads: number) => ({
    name: `${engine}, ${threads} threads`,
    command: nodeCommand("./pool-child.ts", engine, String(threads)),
  });
  const first = startContestant(engineEntry(engine), cores.two.slice(0, 1));
  const second = startContestant(engineEntry(engine), cores.one);
  const oneThread = startContestant(pool(1), cores.one);
  const twoThreads = startContestant(pool(2), cores.two);
  const all = [first, second, oneThread, twoThreads];
  const turns: Record<Contender, readonly Contestant[]> = {
    "one process": [second],
    "two processes": [first, second],
    "one thread": [oneThread],
    "two threads": [twoThreads],
  };
  const points: Record<Contender, number[]> = {
    "one process": [],
    "two processes": [],
    "one thread": [],
    "two threads": [],
  };
  try {
    for (const contestant of all) {
      await contestant.prepare(given);
      await contestant.run(0);
    }
    for (let round = 0; round < effort.rounds; round++) {
      for (const [contender, together] of Object.entries(turns)) {
        const milliseconds = TURN * effort.milliseconds;
        const timed = await Promise.all(together.map((one) => one.run(milliseconds)));
        const rate = timed.reduce((sum, { units, seconds }) => sum + units / seconds, 0);
        points[contender as Contender].push(rate);
      }
    }
  } finally {
    await Promise.all(all.map((contestant) => contestant.stop()));
  }
  return { given, points, shares: ratios(points["two threads"], points["two processes"]) };
}

export function threadsReport({ given, points, shares }: Threads): string {
  const threads = ratios(points["two threads"], points["one thread"]);
  const processes = ratios(points["two processes"], points["one process"]);
  const rows = Object.entries(points).map(([contender, rates]) => [
    contender,
    medianAndRange(rates.map((rate) => rate * 1e-6)),
  ]);
  const percent = (values: readonly number[]) =>
    `${medianAndRange(values.map((value) => 100 * value))} %`;
  return [
    table([`Field, ${given.name}`, "10⁶ points/s together"], rows),
    "",
    `- two threads reach ${percent(shares)} of two processes, one ${percent(ratios(points["one thread"], points["one process"]))} of one`,
    `- two threads are ${medianAndRange(threads)} of one, two processes ${medianAndRange(processes)} of one: ${percent(ratios(threads, processes))}`,
  ].join("\n");
}
