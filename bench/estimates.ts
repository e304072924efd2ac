/**
 * Claim: `ftle plan` says within a factor of two how long a sweep runs, be its tasks tiny or large. Each sweep is
 * planned and run as a user does it; figures are not counted. The first three sweeps give the seconds for each
 * training, tile and grid point that `coordinator/plan/overhead.ts` states.
 * `npm run bench:estimates`; `-- --all`: also Fig. 2, minutes; `-- --out DIRECTORY`: where sweeps are stored
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { table } from "./engines/table.ts";

const { values: flags } = parseArgs({
  options: { all: { type: "boolean", default: false }, out: { type: "string", default: tmpdir() } },
});
const MAIN = fileURLToPath(new URL("../cli/main.js", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const execute = promisify(execFile);

const tiny = (seeds: number, field: string) => `
axes: {width: {from: 2, to: 11, step: 1}, depth: {from: 1, to: 4, step: 1}, seed: {count: ${seeds}}}
data: {name: circle, samples: 200}
training: {epochs: 1}
field: ${field}
`;

const folder = await mkdtemp(join(flags.out, "ftle-estimates-"));
try {
  const trainings = await measure("tiny trainings", await spec(tiny(20, "none")));
  const small = await measure("tiny, fields of 16²", await spec(tiny(20, "{points: 16}")));
  const large = await measure("tiny, fields of 256²", await spec(tiny(5, "{points: 256}")));
  const sweeps = [trainings, small, large];
  sweeps.push(await measure("quickstart.yaml", join(EXAMPLES, "quickstart.yaml")));
  if (flags.all) sweeps.push(await measure("fig2.yaml", join(EXAMPLES, "fig2.yaml")));
  const rows = sweeps.map(({ name, planned, ran }) => {
    const ratio = planned / ran;
    const isMet = ratio >= 0.5 && ratio <= 2;
    return [name, planned, ran, ratio]
      .map((cell) => (typeof cell === "number" ? cell.toPrecision(3) : cell))
      .concat(isMet ? "met" : "not met");
  });
  console.log(table(["sweep", "planned, s", "ran, s", "ratio", "½ to 2"], rows));

  const training = trainings.overhead / trainings.networks;
  const onSmall = small.overhead / small.networks - training;
  const onLarge = large.overhead / large.networks - training;
  const point = Math.max(0, (onLarge - onSmall) / (256 ** 2 - 16 ** 2));
  const stated = { training, tile: onSmall - 16 ** 2 * point, point };
  console.log(`\nbesides the arithmetic, seconds: ${JSON.stringify(stated)}`);
} finally {
  await rm(folder, { recursive: true });
}

interface Measured {
  readonly name: string;
  readonly networks: number;
  /** Seconds that `plan` expects. */
  readonly planned: number;
  /** Seconds that the run took. */
  readonly ran: number;
  /** Seconds of the run without the arithmetic that `plan` expects. */
  readonly overhead: number;
}

async function measure(name: string, file: string): Promise<Measured> {
  const directory = join(folder, "sweep");
  const plan = await ftle("plan", file);
  const { seconds: ran } = await ftle("run", file, "--quiet", "--out", directory);
  await rm(directory, { recursive: true });
  const { cells: networks, toRun } = plan;
  const arithmetic = toRun.seconds - toRun.overheadSeconds;
  return { name, networks, planned: toRun.seconds, ran, overhead: ran - arithmetic };
}

async function ftle(...words: string[]) {
  const { stdout } = await execute(process.execPath, [
    MAIN,
    ...words,
    "--engine",
    "native",
    "--json",
  ]);
  return JSON.parse(stdout);
}

async function spec(text: string): Promise<string> {
  const file = join(folder, "tiny.yaml");
  await writeFile(file, text);
  return file;
}
