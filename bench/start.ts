/**
 * Claim: the program starts quickly. Each command and `node -e 0` are timed in turns; a ratio is taken within a round.
 * `npm run bench:start`
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { startNatsServer } from "../shared/testing/nats-server.ts";
import { median, medianAndRange, ratios } from "./engines/statistics.ts";
import { table } from "./engines/table.ts";

const ROUNDS = 15;
const MAIN = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const SPEC = fileURLToPath(new URL("../examples/quickstart.yaml", import.meta.url));
const TINY = `
axes: {width: 4, depth: [2, 3]}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: {points: 64}
`;

const folder = await mkdtemp(join(tmpdir(), "ftle-start-"));
const server = await startNatsServer();
try {
  const [spec, sweep] = [join(folder, "tiny.yaml"), join(folder, "tiny")];
  await writeFile(spec, TINY);
  await milliseconds([MAIN, "run", spec, "--out", sweep, "--quiet"]);
  const lines: readonly (readonly [string, number, () => Promise<number>])[] = [
    ["ftle --version", 3, () => milliseconds([MAIN, "--version"])],
    ["ftle --help", 3, () => milliseconds([MAIN, "--help"])],
    ["ftle status SWEEP", 6, () => milliseconds([MAIN, "status", sweep])],
    ["ftle plan examples/quickstart.yaml", 6, () => milliseconds([MAIN, "plan", SPEC])],
    ["ftle worker, until it is ready", 10, workerStart],
  ];
  const bare: number[] = [];
  const times: number[][] = lines.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await milliseconds(["-e", "0"]));
    for (const [i, [, , time]] of lines.entries()) times[i]!.push(await time());
  }
  const rows = lines.map(([name, goal], i) => {
    const of = ratios(times[i]!, bare);
    const isMet = median(of) <= goal ? "met" : "not met";
    return [name, medianAndRange(times[i]!), medianAndRange(of), `≤ ${goal}: ${isMet}`];
  });
  const base = ["node -e 0", medianAndRange(bare), "1", ""];
  console.log(table(["", "ms", "× node -e 0", "goal"], [base, ...rows]));
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}

async function milliseconds(words: readonly string[]): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, words, { stdio: "ignore" });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}`);
  return performance.now() - start;
}

/** From the start of the process to the line that says it takes tasks. */
async function workerStart(): Promise<number> {
  const words = [MAIN, "worker", "--nats", server.url, "--threads", "1"];
  const start = performance.now();
  const child = spawn(process.execPath, words, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const ready = new Promise<number>((resolve) => {
    child.stderr.on("data", () => resolve(performance.now() - start));
  });
  const ms = await ready;
  child.kill();
  await ended;
  return ms;
}
