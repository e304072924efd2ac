import type { Command } from "commander";
import type { Plan } from "../../coordinator/plan/plan.ts";
import { remainingLoad } from "../../coordinator/run/load.ts";
import type { Claim } from "../../coordinator/run/recompute.ts";
import { recompute, sampleClaims } from "../../coordinator/run/recompute.ts";
import { fieldRecord } from "../../coordinator/store/cell-record.ts";
import type { Totals } from "../../coordinator/store/cell-status.ts";
import { totals } from "../../coordinator/store/cell-status.ts";
import { damagedSummary } from "../../coordinator/store/check-summary.ts";
import { fieldFolder } from "../../coordinator/store/layout.ts";
import type { StoreState } from "../../coordinator/store/scan.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { defaultThreads } from "../../worker/thread-count.ts";
import { localWork } from "../places/here.ts";
import { changedHint, loadStored } from "../sweeps/stored-sweep.ts";
import { command } from "../terminal/command.ts";
import { counted, integer, shellPath } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { positiveInteger, share } from "../terminal/numbers.ts";
import { createOutput } from "../terminal/output.ts";
import { tasksIn, tasksOf, tasksText } from "../terminal/tasks.ts";

interface VerifyFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly sample?: number;
  readonly threads: number;
}

const READS = `
Reads every file. resume and run read only those whose size, inode or times
have changed since they were last read: what the disk itself changed without
a write, only verify finds.`;

export function verifyCommand(): Command {
  return command("verify", ["verify sweeps/fig2", "verify sweeps/fig2 --sample 5%"])
    .argument("<dir>", "the sweep's directory")
    .addHelpText("after", READS)
    .option("--sample <share>", "compute this share of the results again and compare bytes", share)
    .option("-t, --threads <n>", "threads that compute", positiveInteger, defaultThreads())
    .action(async (directory: string, flags: VerifyFlags) => {
      const output = createOutput(flags);
      const interrupt = onInterrupt("interrupted; verify changes nothing, start it again");
      const { signal } = interrupt;
      try {
        const { plan, damaged: ofSweep, isChanged } = await loadStored(directory);
        const state = await scanStore(plan, { directory, thorough: true, signal });
        const damaged = [...ofSweep, ...(await damagedSummary(directory)), ...state.damaged];
        const claims = flags.sample === undefined ? [] : sampleClaims(plan, state, flags.sample);
        const { threads } = flags;
        const different = await recomputeHere(
          { plan, directory, claims, threads, signal },
          (done) => {
            if (done % 100 === 0) {
              output.note(`${integer(done)} of ${integer(claims.length)} recomputed`);
            }
          },
        );
        const lost = lostTiles(plan, state);
        const counts = totals(plan, state);
        const toRun = tasksOf(remainingLoad(plan, state));
        const lines = [
          storedText(counts),
          ...damaged.map((path) => `damaged    ${path}`),
          ...lost.map((path) => `gone       ${path}`),
          ...(claims.length === 0 ? [] : [`${counted(claims.length, "result")} computed again.`]),
          ...different.map((path) => `different  ${path}`),
        ];
        if (tasksIn(toRun) > 0) {
          lines.push(
            `Missing or damaged: ${tasksText(toRun)}. Compute them with: ftle resume ${shellPath(directory)}`,
          );
        } else if (damaged.length > 0) {
          lines.push(`Restore them with: ftle resume ${shellPath(directory)}`);
        }
        if (isChanged) lines.push(changedHint(directory));
        const value = {
          ...counts,
          toRun,
          damaged,
          isChanged,
          lost,
          recomputed: claims.length,
          different,
        };
        output.result(lines.join("\n"), value);
        if (damaged.length + lost.length + different.length > 0) process.exitCode = 1;
      } finally {
        interrupt.dispose();
      }
    });
}

function storedText({ cells, tiles, analyses }: Totals): string {
  const parts = [counted(cells.trained + cells.diverged, "network"), counted(tiles.stored, "tile")];
  if (analyses.stored > 0) parts.push(counted(analyses.stored, "analysis", "analyses"));
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)} are stored and whole.`;
}

/** Fields that were once complete, according to their cells' records, but now have tiles missing. */
function lostTiles(plan: Plan, { cells, damaged }: StoreState): string[] {
  if (plan.field === null) return [];
  const { id } = plan.field;
  return cells.flatMap(({ cell, record, fields }) =>
    fields.flatMap(({ snapshot, tiles }) => {
      const folder = fieldFolder(cell.id, snapshot, id);
      const wasComplete = record !== null && fieldRecord(record, snapshot, id) !== undefined;
      const isKnown = damaged.some((path) => path.startsWith(`${folder}/`));
      const gone = tiles.filter((isStored) => isStored === 0).length;
      return wasComplete && gone > 0 && !isKnown ? [`${counted(gone, "tile")} of ${folder}`] : [];
    }),
  );
}

/** Starts threads only if there is something to compute. */
async function recomputeHere(
  {
    claims,
    threads,
    signal,
    ...where
  }: {
    plan: Plan;
    directory: string;
    claims: readonly Claim[];
    threads: number;
    signal: AbortSignal;
  },
  onChecked: (done: number) => void,
): Promise<string[]> {
  if (claims.length === 0) return [];
  const { sweep, engine } = where.plan;
  return await localWork({ threads })({ sweep, name: sweep, engine }, signal, (work) =>
    recompute(claims, { ...where, ...work, flight: 2 * threads, onChecked }),
  );
}
