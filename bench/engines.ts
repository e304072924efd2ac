/** How fast the engines are, compared with the machine's limit and the peers. `npm run bench -- --help` */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, Option } from "commander";
import { positiveInteger } from "../cli/terminal/numbers.ts";
import { accuracyReport, measureAccuracy } from "./engines/accuracy.ts";
import type { Case } from "./engines/cases.ts";
import { fieldCases, trainingCases } from "./engines/cases.ts";
import { engineProblem, entries } from "./engines/contestants.ts";
import { fig2Report, measureFig2 } from "./engines/fig2.ts";
import type { Measured } from "./engines/goals.ts";
import { goalsReport } from "./engines/goals.ts";
import { describeRun, pinnedCores } from "./engines/machine.ts";
import type { Rates } from "./engines/rates.ts";
import { measureRates, ratesReport } from "./engines/rates.ts";
import { measureThreads, threadsReport } from "./engines/threads.ts";

const SECTIONS = ["fields", "training", "fig2", "threads", "accuracy"] as const;
type Section = (typeof SECTIONS)[number];

const TITLES: Readonly<Record<Section, string>> = {
  fields: "Fields",
  training: "Training",
  fig2: "Fig. 2 from start to end",
  threads: "Threads",
  accuracy: "Distance from the reference",
};

const RESULTS = fileURLToPath(new URL("./RESULTS.md", import.meta.url));

interface Flags {
  readonly only: readonly Section[];
  readonly engine: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly ms: number;
  readonly fig2Rounds: number;
  /** A file, or true for `RESULTS.md`. */
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
  const program = new Command("npm run bench --")
    .description(
      "Field and training rates of each engine compared with the FMA peak of the same minutes, JAX and PyTorch " +
        "(after `npm run bench:peers`), taking turns on one core; the whole of Fig. 2, ours and JAX's; threads " +
        "compared with processes; the distance from the reference. Takes half an hour.",
    )
    .addOption(new Option("--only <sections...>", "measure only these").choices(SECTIONS))
    .option("--engine <name>", "the engine that the goals are for", "native")
    .option("--quick", "a small part, in a minute: to see that it works")
    .option("--rounds <n>", "in which contestants take turns (5; quick: 3)", positiveInteger)
    .option("--ms <n>", "a contestant's turn, in milliseconds (500; quick: 100)", positiveInteger)
    .option("--fig2-rounds <n>", "how often Fig. 2 is run (3; quick: 1)", positiveInteger)
    .option(
      "--write [file]",
      "write the report to bench/RESULTS.md, or a part of it to another file",
    );
  const given = program.parse().opts<Partial<Flags>>();
  const quick = given.quick ?? false;
  const only = SECTIONS.filter((section) => given.only?.includes(section) ?? true);
  if (given.write === true && (quick || only.length < SECTIONS.length)) {
    program.error(
      "error: RESULTS.md is for the whole report; name another file with --write for a part of it",
    );
  }
  const effort = quick
    ? { rounds: 3, ms: 100, fig2Rounds: 1 }
    : { rounds: 5, ms: 500, fig2Rounds: 3 };
  return { engine: "native", ...effort, ...given, quick, only };
}

/** Measures section by section, printing each result, and returns the whole as Markdown. */
async function measure(flags: Flags, folder: string): Promise<string> {
  const { engine, quick, rounds, ms } = flags;
  const effort = { quick, rounds, milliseconds: ms };
  const pinned = pinnedCores();
  const everybody = entries(folder);
  const measured: { -readonly [Key in keyof Measured]: Measured[Key] } = {};
  const parts: string[] = [];
  const tell = (part: string) => {
    parts.push(part);
    console.log(`\n${part}`);
  };
  const rates = async (section: "fields" | "training", cases: readonly Case[]) => {
    const all: Rates[] = [];
    measured[section] = all; // what was measured is kept, whatever fails later
    for await (const one of measureRates(cases, everybody, { effort, cores: pinned.one })) {
      all.push(one);
      tell(ratesReport(one));
    }
  };
  const sections: Record<Section, () => Promise<void>> = {
    async fields() {
      await rates("fields", fieldCases(folder, { quick }));
    },
    async training() {
      await rates("training", trainingCases(folder, { quick }));
    },
    async fig2() {
      const options = { quick, rounds: flags.fig2Rounds, folder, cores: pinned };
      measured.fig2 = await measureFig2(engine, options);
      tell(fig2Report(measured.fig2));
    },
    async threads() {
      const fields = fieldCases(folder, { quick });
      const given = fields.find(({ name }) => name === "N = 50, L = 8")!;
      measured.threads = await measureThreads(given, engine, { effort, cores: pinned });
      tell(threadsReport(measured.threads));
    },
    async accuracy() {
      measured.accuracy = measureAccuracy(engine, { quick });
      tell(accuracyReport(measured.accuracy, engine));
    },
  };

  const small = quick ? "\n- quick: grids of 256² and few cases, to see that it works" : "";
  const head = `${describeRun(pinned, { rounds, ms })}${small}`;
  console.log(head);
  const problem = engineProblem(engine);
  if (problem !== null) tell(`Engine ${engine} is not available: ${problem}`);
  for (const section of flags.only) {
    tell(`## ${TITLES[section]}`);
    const needsEngine = section !== "fields" && section !== "training";
    if (needsEngine && problem !== null) tell(`Not measured: engine ${engine} is not available.`);
    else await sections[section]().catch((error: Error) => tell(`Not measured: ${error.message}`));
  }
  const goals = goalsReport(measured, engine);
  console.log(`\n${goals}`);
  return `${[head, goals, ...parts].join("\n\n")}\n`;
}
