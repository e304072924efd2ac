/** The whole of Fig. 2, ours and expert JAX's: from the start of a process to its end, compilation included. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import type { Command } from "./contestant.ts";
import { startPinned } from "./contestant.ts";
import type { Pinned } from "./machine.ts";
import { peersPython } from "./machine.ts";
import { medianAndRange, ratios } from "./statistics.ts";
import { table } from "./table.ts";

export interface Fig2 {
  /** Whether it was all twelve networks, or a quick part. */
  readonly isWhole: boolean;
  readonly what: string;
  readonly runs: readonly Run[];
  /** How many times as slow JAX on one core was, in each round. */
  readonly oneThread: readonly number[];
  readonly twoThreads: readonly number[];
}

interface Run {
  readonly name: string;
  /** Of each round, of the whole process. */
  readonly seconds: readonly number[];
  /** Test accuracy of each network, of the last round. */
  readonly accuracies: readonly number[];
}

interface Part {
  readonly widths: readonly number[];
  readonly depths: readonly number[];
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly epochs: number;
  readonly points: number;
}

/** Test accuracy above which a network has learned the circle; a guess has one half. */
const LEARNED = 0.8;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = join(ROOT, "dist/cli/main.js");

/** @throws Error if the program was not built, or a contestant's run fails. */
export async function measureFig2(
  engine: string,
  options: {
    readonly quick: boolean;
    readonly rounds: number;
    readonly folder: string;
    readonly cores: Pinned;
  },
): Promise<Fig2> {
  await checkBuild();
  const { quick, rounds, folder, cores } = options;
  const spec = oneSeed(quick);
  const part: Part = {
    widths: spec.axes.width,
    depths: spec.axes.depth,
    learningRate: spec.training.learningRate,
    weightDecay: spec.training.weightDecay,
    epochs: spec.training.epochs,
    points: spec.field.points,
  };
  const specPath = join(folder, "fig2.yaml");
  writeFileSync(specPath, stringify(spec));
  const python = peersPython();
  const peer = python === null ? [] : [jaxRun(python, part, cores.one)];
  const runs = [
    ...peer,
    ourRun(specPath, { engine, threads: 1, cores: cores.one }),
    ourRun(specPath, { engine, threads: 2, cores: cores.two }),
  ].map((run) => ({ ...run, seconds: [] as number[], accuracies: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const run of runs) {
      const out = join(folder, `${runs.indexOf(run)}-${round}`);
      mkdirSync(out);
      const start = performance.now();
      const text = await finished(run.command(out), run.cores);
      run.seconds.push((performance.now() - start) / 1000);
      run.accuracies = run.accuraciesOf(out, text);
      if (!(Math.min(...run.accuracies) > LEARNED)) {
        throw new Error(`${run.name} has not learned: accuracies ${run.accuracies}`);
      }
    }
  }
  const seconds = (name: string) => runs.find((run) => run.name === name)?.seconds ?? [];
  const jax = seconds(JAX);
  return {
    isWhole: !quick,
    what: `N ∈ {${part.widths}} × L ∈ {${part.depths}}, ${part.epochs} epochs of 36 000, batch 128, fields of ${part.points}²`,
    runs,
    oneThread: ratios(jax, seconds(ours(engine, 1))),
    twoThreads: ratios(jax, seconds(ours(engine, 2))),
  };
}

/** The example unchanged, with one realisation of each network. */
function oneSeed(quick: boolean) {
  const spec = parse(readFileSync(join(ROOT, "examples/fig2.yaml"), "utf8"));
  spec.axes.seed = { count: 1 };
  if (quick) {
    spec.axes.width = [10];
    spec.axes.depth = [2, 4];
    spec.training.epochs = 2;
    spec.field.points = 128;
  }
  return spec;
}

interface Start {
  readonly name: string;
  readonly cores: readonly number[];
  command(out: string): Command["command"];
  accuraciesOf(out: string, printed: string): number[];
}

const JAX = "JAX expert, one core";

const ours = (engine: string, threads: number) =>
  `ftle run, ${engine}, ${threads} thread${threads === 1 ? "" : "s"}`;

function jaxRun(python: string, part: Part, cores: readonly number[]): Start {
  const script = join(ROOT, "bench/peers/fig2_jax.py");
  return {
    name: JAX,
    cores,
    command: (out) => [python, script, JSON.stringify({ ...part, out })],
    accuraciesOf: (_, printed) => Object.values(JSON.parse(printed.trim().split("\n").at(-1)!)),
  };
}

function ourRun(
  spec: string,
  { engine, threads, cores }: { engine: string; threads: number; cores: readonly number[] },
): Start {
  const flags = ["--engine", engine, "--threads", String(threads), "--no-plot", "--quiet"];
  return {
    name: ours(engine, threads),
    cores,
    command: (out) => [
      process.execPath,
      PROGRAM,
      "run",
      spec,
      "--out",
      join(out, "sweep"),
      ...flags,
    ],
    accuraciesOf: (out) => {
      const text = readFileSync(join(out, "sweep", "summary.csv"), "utf8");
      const [head, ...rows] = text.trim().split(/\r?\n/);
      const column = head!.split(",").indexOf("testAccuracy");
      return rows.map((row) => Number(row.split(",")[column]));
    },
  };
}

/** @throws Error if the built program is older than the source. */
async function checkBuild(): Promise<void> {
  if (!existsSync(PROGRAM)) throw new Error("dist/ is missing: npm run build");
  const built = (await stat(PROGRAM)).mtimeMs;
  for (const folder of ["cli", "coordinator", "shared", "worker"]) {
    for (const file of await readdir(join(ROOT, folder), { recursive: true })) {
      const isSource = file.endsWith(".ts") && !file.includes("test");
      if (isSource && (await stat(join(ROOT, folder, file))).mtimeMs > built) {
        throw new Error(`dist/ is older than ${folder}/${file}: npm run build`);
      }
    }
  }
}

/** What a process printed; rejects if it failed. */
async function finished(command: Command["command"], cores: readonly number[]): Promise<string> {
  const child = startPinned(command, cores);
  child.stdin!.end();
  let printed = "";
  let complaints = "";
  child.stdout!.on("data", (chunk) => {
    printed += chunk;
  });
  child.stderr!.on("data", (chunk) => {
    complaints += chunk;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  if (code !== 0)
    throw new Error(`${command.join(" ")} ended with ${code}: ${complaints.slice(-500)}`);
  return printed;
}

export function fig2Report({ what, runs, oneThread, twoThreads }: Fig2): string {
  const rows = runs.map(({ name, seconds, accuracies }) => [
    name,
    medianAndRange(seconds),
    `${(100 * Math.min(...accuracies)).toFixed(1)}–${(100 * Math.max(...accuracies)).toFixed(1)} %`,
  ]);
  const head = ["Fig. 2, whole process", "seconds", "test accuracy of the networks"];
  const notes =
    oneThread.length === 0
      ? []
      : [
          `- JAX on one core is ${medianAndRange(oneThread)} times as slow as one thread, ${medianAndRange(twoThreads)} times as two threads`,
        ];
  return [table(head, rows), "", `- ${what}`, ...notes].join("\n");
}
