import type { Command } from "commander";
import type { Plan } from "../../coordinator/plan/plan.ts";
import { remainingLoad } from "../../coordinator/run/load.ts";
import { totals } from "../../coordinator/store/cell-status.ts";
import { lockOwner } from "../../coordinator/store/lock.ts";
import type { StoreState } from "../../coordinator/store/scan.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { readDeadLetters } from "../../coordinator/store/store.ts";
import type { DeadLetter } from "../../shared/messages.ts";
import { moduleLoader } from "../../shared/module-loader.ts";
import { changedHint, loadStored } from "../sweeps/stored-sweep.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/command.ts";
import { cellName, counted, integer, shellPath, table } from "../terminal/format.ts";
import { createOutput } from "../terminal/output.ts";
import { tasksIn, tasksOf, tasksText } from "../terminal/tasks.ts";

const load = moduleLoader(import.meta.url);

interface StatusFlags extends BrokerFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** How many diverged cells and dead letters are listed. */
const MOST_NAMED = 10;

export function statusCommand(): Command {
  const status = command("status", [
    "status sweeps/fig2",
    "status sweeps/fig2 --json",
    "status --nats nats://host:4222",
  ]).argument("[dir]", "the sweep's directory");
  return withBrokerOptions(status).action(
    async (directory: string | undefined, flags: StatusFlags) => {
      const output = createOutput(flags);
      if (directory === undefined) {
        const { brokerStatus } =
          await load<typeof import("./broker-status.ts")>("./broker-status.ts");
        await brokerStatus(flags, output);
        return;
      }
      const { sweep, plan, damaged, isChanged } = await loadStored(directory);
      const state = await scanStore(plan, { directory, thorough: false });
      const owner = await lockOwner(directory);
      const counts = totals(plan, state);
      const toRun = tasksOf(remainingLoad(plan, state));
      const letters = await readDeadLetters(directory, state.dead);
      const phase = phaseOf(tasksIn(toRun), owner !== null);
      const { cells, fields } = counts;
      const rows = [
        ["sweep", `${sweep.name}, engine ${plan.engine}`],
        [
          "state",
          phase +
            givenUp(letters.length) +
            (owner === null ? "" : ` (process ${owner.pid} on ${owner.host})`),
        ],
        [
          "networks",
          `${integer(cells.trained)} trained, ${integer(cells.diverged)} diverged, ${integer(cells.missing)} missing, ${integer(cells.dead)} given up`,
        ],
        ["fields", `${integer(fields.complete)} of ${integer(fields.expected)} complete`],
        ["tiles", `${integer(counts.tiles.stored)} of ${integer(counts.tiles.expected)} stored`],
        ...(plan.analyses.length === 0
          ? []
          : [
              [
                "analyses",
                `${integer(counts.analyses.stored)} of ${integer(counts.analyses.expected)} stored`,
              ],
            ]),
        ["to run", tasksText(toRun)],
      ];
      const missing = [...damaged, ...state.damaged];
      if (missing.length > 0) rows.push(["damaged", missing.join(", ")]);
      const saturated = saturatedLine(plan, state);
      const lines = [table(rows), ...divergedLines(state), ...saturated, ...deadLines(letters)];
      if (isChanged) lines.push(changedHint(directory));
      if (phase === "unfinished") lines.push(`Go on with: ftle resume ${shellPath(directory)}`);
      if (letters.length > 0) lines.push(`Run them again with: ftle retry ${shellPath(directory)}`);
      const value = { name: sweep.name, engine: plan.engine, phase, owner, ...counts };
      output.result(lines.join("\n"), { ...value, toRun, damaged: missing, isChanged, letters });
    },
  );
}

function phaseOf(missing: number, isHeld: boolean): "complete" | "running" | "unfinished" {
  if (isHeld) return "running";
  return missing === 0 ? "complete" : "unfinished";
}

function givenUp(letters: number): string {
  return letters === 0 ? "" : `, ${counted(letters, "task")} given up`;
}

function divergedLines({ cells }: StoreState): string[] {
  const lines = cells
    .filter(({ record }) => record?.status === "diverged")
    .map(({ cell, record }) => `  diverged ${cell.id}  ${cellName(cell.point)}: ${record?.reason}`);
  return shortened(lines);
}

/** A note on fields in which float32 has reached its limit. */
function saturatedLine({ field }: Plan, { cells }: StoreState): string[] {
  const counts = cells.flatMap(({ record }) =>
    (record?.fields ?? []).flatMap(({ field: id, statistics }) =>
      id === field?.id && statistics.saturated !== undefined ? [statistics.saturated] : [],
    ),
  );
  if (counts.length === 0) return [];
  const points = counts.reduce((sum, count) => sum + count, 0);
  return [
    `${counted(points, "point")} of ${counted(counts.length, "field")} lie where a layer is saturated beyond float32: with the engines native and tfjs λ₁ is too large there (column \`saturated\`; the engine reference is exact)`,
  ];
}

function deadLines(letters: readonly DeadLetter[]): string[] {
  const lines = letters.map(
    ({ task, attempts, reason }) =>
      `  given up ${task} after ${counted(attempts, "attempt")}: ${reason.message}`,
  );
  return shortened(lines);
}

function shortened(lines: readonly string[]): string[] {
  const rest = lines.length - MOST_NAMED;
  return rest > 0 ? [...lines.slice(0, MOST_NAMED), `  … and ${integer(rest)} more`] : [...lines];
}
