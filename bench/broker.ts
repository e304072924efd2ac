/** What the broker costs: tasks per second, its share of the work, and how many workers it can serve. `npm run bench:broker -- --help` */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { positiveInteger } from "../cli/terminal/numbers.ts";
import type { Measured } from "./broker/goals.ts";
import { goalsReport } from "./broker/goals.ts";
import { describeBroker } from "./broker/machine.ts";
import { measureOverhead, overheadReport } from "./broker/overhead.ts";
import { measureScale, scaleReport } from "./broker/scale.ts";
import { measureThroughput, throughputReport } from "./broker/throughput.ts";

const SECTIONS = ["throughput", "overhead", "scale"] as const;
type Section = (typeof SECTIONS)[number];

const TITLES: Readonly<Record<Section, string>> = {
  throughput: "Tasks that take no time",
  overhead: "Real tiles",
  scale: "A crowd",
};

const PROSE: Readonly<Record<Section, string>> = {
  throughput: `A task is published, pulled, answered with a small result that the broker has confirmed, acknowledged, and seen by the
coordinator. System calls limit the rate: here both cores are full, and each process spends most of its time in
reading and writing packets of a few hundred bytes. So everything that is to be sent at the end of one turn of the event loop is sent in one write.
With \`sync_interval: always\` the server waits for the disk twice per task. BullMQ removes each job with its result as soon as it
is done, and checks neither; ours keeps the result until the coordinator has stored it, and has digests and schemas checked at both ends.`,
  overhead: `\`ftle run --nats\` and \`ftle worker\` as a user starts them. The coordinator's time is mostly spent in the store: each tile
is written, synced and noted in the journal. Where the tasks take longer, the share is smaller in proportion.`,
  scale: `\`ftle run\` keeps two tasks queued for each thread, and has them all in memory; \`ftle status\` reads one record for each worker,
which takes most of its time, after the half second that the program takes to start.`,
};

const RESULTS = fileURLToPath(new URL("./BROKER.md", import.meta.url));

interface Flags {
  readonly only: readonly Section[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly tasks: number;
  readonly flight: number;
  readonly seconds: number;
  readonly workers: number;
  /** A file, or true for `BROKER.md`. */
  readonly write?: string | true;
}

const flags = readFlags();
const folder = await mkdtemp(join(tmpdir(), "ftle-bench-"));
try {
  const report = await measure(flags, folder);
  if (flags.write !== undefined) {
    await writeFile(flags.write === true ? RESULTS : flags.write, report);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

function readFlags(): Flags {
  const program = new Command("npm run bench:broker --")
    .description(
      "No-op tasks per second through a real nats-server, compared with BullMQ on Redis (after `npm run bench:broker-peers`); the share of " +
        "the processor time that coordinator and broker take with real tiles; `ftle status` and the coordinator's memory with " +
        "ten thousand workers and a hundred thousand tasks. After `npm run build`, on Linux. Takes half an hour.",
    )
    .addOption(new Option("--only <sections...>", "measure only these").choices(SECTIONS))
    .option("--quick", "a small part, in two minutes: to see that it works")
    .option("--rounds <n>", "of each measurement (5; quick: 2)", positiveInteger)
    .option("--tasks <n>", "no-op tasks of a round (10 000; quick: 2 000)", positiveInteger)
    .option("--flight <n>", "no-op tasks published and unfinished at a time (64)", positiveInteger)
    .option("--seconds <n>", "of real tiles (75; quick: 8)", positiveInteger)
    .option("--workers <n>", "in the crowd (10 000; quick: 500)", positiveInteger)
    .option(
      "--write [file]",
      "write the report to bench/BROKER.md, or a part of it to another file",
    );
  const given = program.parse().opts<Partial<Flags>>();
  const quick = given.quick ?? false;
  const only = SECTIONS.filter((section) => given.only?.includes(section) ?? true);
  if (given.write === true && (quick || only.length < SECTIONS.length)) {
    program.error(
      "error: BROKER.md is for the whole report; name another file with --write for a part of it",
    );
  }
  const effort = quick
    ? { rounds: 2, tasks: 2_000, seconds: 8, workers: 500 }
    : { rounds: 5, tasks: 10_000, seconds: 75, workers: 10_000 };
  return { flight: 64, ...effort, ...given, quick, only };
}

/** Measures section by section, printing each result, and returns the whole as Markdown. */
async function measure(flags: Flags, folder: string): Promise<string> {
  const { rounds, tasks, flight, seconds, workers } = flags;
  const measured: { -readonly [Key in keyof Measured]: Measured[Key] } = {};
  const sections: Record<Section, () => Promise<string>> = {
    async throughput() {
      measured.throughput = await measureThroughput({ rounds, tasks, flight });
      return throughputReport(measured.throughput);
    },
    async overhead() {
      measured.overhead = await measureOverhead(folder, { rounds: Math.ceil(rounds / 2), seconds });
      return overheadReport(measured.overhead);
    },
    async scale() {
      measured.scale = await measureScale(folder, { workers, rounds });
      return scaleReport(measured.scale);
    },
  };
  const head = await describeBroker();
  console.log(head);
  const parts: string[] = [];
  for (const section of flags.only) {
    const found = await sections[section]().catch((error: Error) => {
      return `Not measured: ${error.message}`;
    });
    const part = `## ${TITLES[section]}\n\n${found}`;
    console.log(`\n${part}`);
    parts.push(`${part}\n\n${PROSE[section]}`);
  }
  const goals = goalsReport(measured);
  console.log(`\n${goals}`);
  return `${[head, goals, ...parts].join("\n\n")}\n`;
}
