import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Timed } from "./serve.ts";

/** A process that works for a while on command, and sleeps in between. */
export interface Contestant {
  readonly name: string;
  /** Prepares a case and answers with results to compare. Rejects if the contestant cannot do it. */
  prepare(given: unknown): Promise<{ check: number[]; chosen: string }>;
  run(milliseconds: number): Promise<Timed>;
  stop(): Promise<void>;
}

export interface Command {
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
}

/** Restricts the libraries of all contestants to the thread that they are given. */
export const ONE_THREAD = {
  OMP_NUM_THREADS: "1",
  OPENBLAS_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
  TF_NUM_INTRAOP_THREADS: "1",
  TF_NUM_INTEROP_THREADS: "1",
  XLA_FLAGS: "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
  JAX_PLATFORMS: "cpu",
  TF_CPP_MIN_LOG_LEVEL: "2",
};

/** Starts a process on the given cores. It ends when its standard input does. */
export function startContestant({ name, command }: Command, cores: readonly number[]): Contestant {
  const child = startPinned(command, cores);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  let complaints = "";
  child.stderr!.on("data", (chunk) => {
    complaints = (complaints + chunk).slice(-2000);
  });
  child.stdin!.on("error", () => {}); // it has died: the next answer reports that
  const ask = async (request: object) => {
    child.stdin!.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`its process has ended: ${lastError(complaints)}`);
    const answer = JSON.parse(value);
    if ("error" in answer) throw new Error(answer.error);
    return answer;
  };
  return {
    name,
    prepare: (given) => ask({ prepare: given }),
    run: (milliseconds) => ask({ run: milliseconds }),
    async stop() {
      const isOver = child.exitCode !== null || child.signalCode !== null;
      child.stdin!.end();
      if (!isOver) await once(child, "exit");
    },
  };
}

/** Spawns with single-threaded libraries on the given cores; on any where `taskset` is missing (no cores). */
export function startPinned(
  [program, ...args]: Command["command"],
  cores: readonly number[],
): ChildProcess {
  const env = { ...process.env, ...ONE_THREAD };
  const stdio = ["pipe", "pipe", "pipe"] as const;
  return cores.length === 0
    ? spawn(program, args, { env, stdio: [...stdio] })
    : spawn("taskset", ["-c", cores.join(","), program, ...args], { env, stdio: [...stdio] });
}

/** The line of a stack trace, JavaScript's or Python's, that says what happened. */
function lastError(complaints: string): string {
  const lines = complaints.trim().split("\n");
  return lines.findLast((line) => line.includes("Error")) ?? lines.at(-1)!;
}
