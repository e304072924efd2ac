/** A contestant's side of `contestant.ts`: a line of JSON in, a line of JSON out. */
import { createInterface } from "node:readline";

/** A case that is ready to be timed. */
export interface Prepared {
  /** Works for at least so long, or does the smallest possible piece, and returns how many units it did. */
  run(milliseconds: number): Timed | Promise<Timed>;
  /** Results that all contestants must agree on. */
  readonly check: readonly number[];
  /** What was chosen among several ways. */
  readonly chosen: string;
}

export interface Timed {
  /** Grid points, network-steps or flops. */
  readonly units: number;
  readonly seconds: number;
}

/** Answers `{"prepare": case}` and `{"run": milliseconds}` until standard input ends. */
export async function serve<Case>(prepare: (given: Case) => Prepared): Promise<void> {
  let prepared: Prepared | null = null;
  const answerTo = async (request: { prepare?: Case; run?: number }) => {
    if (request.prepare !== undefined) {
      prepared = prepare(request.prepare);
      return { check: prepared.check, chosen: prepared.chosen };
    }
    if (prepared === null) throw new Error("nothing was prepared");
    return await prepared.run(request.run!);
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const answer = await answerTo(JSON.parse(line)).catch((error: unknown) => ({
      error: String(error),
    }));
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** Repeats `work`, which returns its units, for at least so long. */
export function repeated(work: () => number): Prepared["run"] {
  return (milliseconds) => {
    const start = performance.now();
    let units = 0;
    while (true) {
      units += work();
      const seconds = (performance.now() - start) / 1000;
      if (seconds * 1000 >= milliseconds) return { units, seconds };
    }
  };
}
