/** The worker's threads as a contestant, on whole field tasks. Usage: pool-child.ts ENGINE THREADS */
import { readFileSync } from "node:fs";
import { Piscina } from "piscina";
import type { FieldTask } from "../../shared/messages.ts";
import type { EngineName } from "../../worker/engines/registry.ts";
import { resolveEngine } from "../../worker/engines/registry.ts";
import { progressOver } from "../../worker/tasks/progress.ts";
import type { ThreadReply, ThreadRequest } from "../../worker/tasks/thread-messages.ts";
import type { FieldCase } from "./cases.ts";
import type { Timed } from "./serve.ts";
import { serve } from "./serve.ts";

const [name, count] = process.argv.slice(2);
const engine = resolveEngine(name as EngineName);
const threads = Number(count);
const pool = new Piscina<ThreadRequest, ThreadReply>({
  filename: new URL("../../worker/thread.ts", import.meta.url).href,
  minThreads: threads,
  maxThreads: threads,
  recordTiming: false,
});

await serve<FieldCase>((given) => {
  const task = fieldTask(given);
  const weights = new Uint8Array(readFileSync(given.weights));
  /** One tile after another for the given time, as the worker does for each of its threads. */
  const keepBusy = async (milliseconds: number) => {
    const start = performance.now();
    let tiles = 0;
    do {
      const reply = await pool.run({ task, weights, progress: progressOver().buffer });
      if (reply.kind === "error") throw new Error(reply.error.message);
      tiles++;
    } while (performance.now() - start < milliseconds);
    return tiles / (performance.now() - start);
  };
  return {
    async run(milliseconds): Promise<Timed> {
      const loops = Array.from({ length: threads }, () => keepBusy(milliseconds));
      const tilesPerMs = (await Promise.all(loops)).reduce((a, b) => a + b);
      return { units: tilesPerMs * 1000 * given.points ** 2, seconds: 1 };
    },
    check: [],
    chosen: `${threads} threads`,
  };
});
await pool.destroy();

/** The whole grid as one tile. */
function fieldTask({ network, points, halfWidth }: FieldCase): FieldTask {
  const interval = [-halfWidth, halfWidth] as const;
  return {
    version: 1,
    id: "bench",
    sweep: "bench",
    engine,
    cell: "bench",
    work: 0,
    kind: "field",
    network,
    snapshot: "end",
    weights: "",
    grid: { region: { x: interval, y: interval }, points, layers: "last" },
    tile: { column: 0, row: 0, columns: points, rows: points },
  };
}
