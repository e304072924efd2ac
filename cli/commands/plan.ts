import type { Command } from "commander";
import type { Load } from "../../coordinator/plan/cost.ts";
import { costModel } from "../../coordinator/plan/cost.ts";
import type { Cell, Plan } from "../../coordinator/plan/plan.ts";
import { storedBytes } from "../../coordinator/plan/stored-bytes.ts";
import { remainingLoad, wholeLoad } from "../../coordinator/run/load.ts";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import type { StoreState } from "../../coordinator/store/scan.ts";
import { scanStore, untouched } from "../../coordinator/store/scan.ts";
import { measureRates } from "../../worker/rates.ts";
import { defaultThreads } from "../../worker/thread-count.ts";
import { loadStored, planFor, refuseMissingEngine } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import type { EngineFlag } from "../terminal/engine-option.ts";
import { engineOption, withEngine } from "../terminal/engine-option.ts";
import { bytes, cellName, counted, duration, integer, table } from "../terminal/format.ts";
import { positiveInteger } from "../terminal/numbers.ts";
import { createOutput } from "../terminal/output.ts";
import { tasksOf, tasksText } from "../terminal/tasks.ts";

interface PlanFlags extends EngineFlag {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly against?: string;
  readonly data?: string;
  readonly threads: number;
}

/** How many new cells are listed. */
const MOST_NAMED = 10;

export function planCommand(): Command {
  return command("plan", [
    "plan fig2.yaml",
    "plan wider.yaml --against sweeps/fig2    # which parts are stored there already",
  ])
    .argument("<spec>", "the sweep spec, a YAML file")
    .addOption(engineOption())
    .option("--data <dir>", "where the files of the data set are, if not where the spec says")
    .option("--against <dir>", "a sweep's directory: count what it holds as done")
    .option("-t, --threads <n>", "threads to estimate for", positiveInteger, defaultThreads())
    .action(async (file: string, flags: PlanFlags) => {
      const output = createOutput(flags);
      const read = withEngine(await readSweep(file, { moved: flags.data }), flags);
      if (flags.against !== undefined) await loadStored(flags.against); // throws if there is none
      const { plan } = await planFor(flags.against ?? "", read);
      refuseMissingEngine(plan.engine);
      const state = await stateOf(plan, flags.against);
      const whole = wholeLoad(plan);
      const rest = remainingLoad(plan, state);
      const model = costModel(measureRates(plan.engine));
      const costOf = (load: Load) => {
        const overheadSeconds = model.overhead(load);
        return { coreSeconds: model.seconds(load.work) + overheadSeconds, overheadSeconds };
      };
      const fresh = state.cells.filter(({ record }) => record === null).map(({ cell }) => cell);
      const value = {
        name: read.sweep.name,
        engine: plan.engine,
        cells: plan.cells.length,
        ...tasksOf(whole),
        bytes: storedBytes(plan),
        ...costOf(whole),
        toRun: { ...rest, ...costOf(rest), seconds: model.duration(rest, flags.threads) },
        newCells: fresh.map(({ id }) => id),
      };
      const lines = [
        ["sweep", `${read.sweep.name}, engine ${plan.engine}`],
        ["networks", integer(value.cells)],
        ["tasks", tasksText(whole)],
        ["store", `about ${bytes(value.bytes)}`],
        ["cost", costText(value)],
      ];
      if (flags.against !== undefined) {
        const stored = plan.cells.length - fresh.length;
        lines.push(["stored", `${counted(stored, "network")} in ${flags.against}`]);
        lines.push(["to run", tasksText(rest)]);
      }
      lines.push([
        "expected",
        `${duration(value.toRun.seconds)} on ${counted(flags.threads, "thread")}`,
      ]);
      const names = flags.against === undefined ? [] : namesOf(fresh);
      output.result([table(lines), ...names].join("\n"), value);
    });
}

/** A smaller part than this of the cost is not mentioned. */
const NOTED_OVERHEAD = 0.2;

function costText(cost: { coreSeconds: number; overheadSeconds: number }): string {
  const text = `about ${duration(cost.coreSeconds)} of one core`;
  if (cost.overheadSeconds < NOTED_OVERHEAD * cost.coreSeconds) return text;
  return `${text}, of which ${duration(cost.overheadSeconds)} go into storing results`;
}

async function stateOf(plan: Plan, directory: string | undefined): Promise<StoreState> {
  if (directory !== undefined) return await scanStore(plan, { directory, thorough: false });
  const cells = plan.cells.map(untouched);
  return { cells, dead: new Set(), damaged: [] };
}

function namesOf(cells: readonly Cell[]): string[] {
  const named = cells
    .slice(0, MOST_NAMED)
    .map(({ id, point }) => `  new ${id}  ${cellName(point)}`);
  const rest = cells.length - named.length;
  return rest > 0 ? [...named, `  … and ${integer(rest)} more`] : named;
}
