/**
 * Claim: a coordinator keeps up with its workers where tasks are small. A lattice of tiny networks is run as a user runs
 * it: in process, over a broker on this machine, and where every fsync takes 5 ms.
 * `npm run bench:many`, with `-- --networks 200` for a quick look, `-- --main OTHER/dist/cli/main.js` for another version.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { natsServerBinary } from "../shared/testing/nats-server.ts";
import { table } from "./engines/table.ts";

const { values: options } = parseArgs({
  options: {
    networks: { type: "string", default: "2000" },
    main: {
      type: "string",
      default: fileURLToPath(new URL("../dist/cli/main.js", import.meta.url)),
    },
    only: { type: "string", multiple: true, default: ["here", "cluster", "slow disk"] },
  },
});
const NETWORKS = Number(options.networks);
const OBSERVER = new URL("./many-networks/observe.mjs", import.meta.url).href;
const SLOW_FSYNC = fileURLToPath(new URL("./many-networks/slow-fsync.c", import.meta.url));

const spec = (networks: number) => `
name: many
axes: {width: {from: 2, to: 11}, depth: {from: 1, to: 4}, seed: {count: ${Math.ceil(networks / 40)}}}
data: {name: circle, samples: 200}
training: {epochs: 1}
field: {points: 16}
engine: native
`;

interface Case {
  readonly name: string;
  readonly goal: number;
  readonly networks: number;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const folder = await mkdtemp(join(tmpdir(), "ftle-many-"));
try {
  const slow = join(folder, "slow-fsync.so");
  const compiled = spawnSync("cc", ["-shared", "-fPIC", "-o", slow, SLOW_FSYNC, "-ldl"]);
  if (compiled.status !== 0) throw new Error(String(compiled.stderr));
  const natsServer = { FTLE_NATS_SERVER: await natsServerBinary() };
  const cases: readonly Case[] = [
    { name: "here", goal: 600, networks: NETWORKS, args: [], env: {} },
    { name: "cluster", goal: 300, networks: NETWORKS, args: ["--cluster"], env: natsServer },
    {
      ...{ name: "slow disk", goal: 60, networks: NETWORKS / 4, args: [] },
      env: { LD_PRELOAD: slow },
    },
  ];
  const rows = [];
  for (const one of cases) if (options.only.includes(one.name)) rows.push(await measure(one));
  console.log(
    table(
      [
        ...["", "tasks/s", "goal", "s", "CPU s", "files a network", "peak MB"],
        ...["event loop p99, max, ms", "GC %"],
      ],
      rows,
    ),
  );
} finally {
  await rm(folder, { recursive: true });
}

/** Runs the lattice with two threads or workers. */
async function measure({ name, goal, networks, args, env }: Case): Promise<string[]> {
  const file = join(folder, "spec.yaml");
  const directory = join(folder, name.replace(" ", "-"));
  const observed = join(folder, "observed.json");
  await writeFile(file, spec(networks));
  const words = ["run", file, "--out", directory, "--no-plot", "--quiet", "--threads", "2"];
  const start = performance.now();
  const child = spawn(process.execPath, [`--import=${OBSERVER}`, options.main, ...words, ...args], {
    env: { ...process.env, ...env, FTLE_OBSERVED: observed },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
  const seconds = (performance.now() - start) / 1000;
  const seen = JSON.parse(await readFile(observed, "utf8"));
  const cells = await readdir(join(directory, "cells"), { recursive: true, withFileTypes: true });
  const folders = await readdir(join(directory, "cells"));
  const files = cells.filter((entry) => entry.isFile()).length;
  const rate = (2 * folders.length) / seconds;
  return [
    ...[`${name}, ${folders.length} networks`, rate.toFixed(0)],
    `≥ ${goal}: ${rate >= goal ? "met" : "not met"}`,
    ...[seconds.toFixed(1), seen.cpu.toFixed(1), (files / folders.length).toFixed(1)],
    ...[(seen.rss / 1e6).toFixed(0), `${seen.p99.toFixed(1)}, ${seen.max.toFixed(0)}`],
    (100 * seen.gc).toFixed(1),
  ];
}
