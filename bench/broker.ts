/**
 * What the broker costs: tasks a second beside BullMQ on Redis, its share of the time of real tiles, and a status with
 * thousands of workers. `npm run bench:broker -- --help`.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { measureOverhead, overheadReport } from "./broker/overhead.ts";
import { measureScale, scaleReport } from "./broker/scale.ts";
import { measureThroughput, throughputReport } from "./broker/throughput.ts";

const REPORT = fileURLToPath(new URL("BROKER.md", import.meta.url));

const options = new Command("bench:broker")
  .addOption(new Option("--only <part>", "one part").choices(["throughput", "overhead", "scale"]))
  .option("--rounds <n>", "rounds of each", Number, 5)
  .option("--tasks <n>", "no-op tasks a round", Number, 20_000)
  .option("--seconds <n>", "length of the run with real tiles", Number, 60)
  .option("--workers <n>", "simulated workers", Number, 10_000)
  .option("--write", "write bench/BROKER.md")
  .parse()
  .opts<{
    only?: "throughput" | "overhead" | "scale";
    rounds: number;
    tasks: number;
    seconds: number;
    workers: number;
    write?: boolean;
  }>();
const { rounds, tasks, seconds, workers } = options;
const folder = await mkdtemp(join(tmpdir(), "ftle-bench-"));
const parts = {
  throughput: async () => throughputReport(await measureThroughput({ rounds, tasks, flight: 256 })),
  overhead: async () =>
    overheadReport(await measureOverhead(folder, { rounds: 1, seconds, engine: "native" })),
  scale: async () => scaleReport(await measureScale(folder, { rounds, workers })),
};
try {
  const load = loadavg()[0]!.toFixed(1);
  const machine = `${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, Node ${process.versions.node}; load average ${load} when it began.`;
  const reports = [`# The broker, measured\n\n${machine}`];
  for (const [name, measure] of Object.entries(parts)) {
    if (options.only !== undefined && options.only !== name) continue;
    reports.push(await measure());
    process.stdout.write(`${reports.at(-1)}\n\n`);
  }
  if (options.write) await writeFile(REPORT, `${reports.join("\n\n").trim()}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
