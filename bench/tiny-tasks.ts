/**
 * Claim: a task costs under 1 ms of processor besides its arithmetic, in all threads together, the store not
 * counted. Networks as small as they get are trained and their fields computed by a worker's threads over the
 * transport within one process; what comes back is acknowledged at once and thrown away.
 * `npm run bench:tiny`; `npm run bench:tiny -- SEEDS THREADS`
 */
import { readdirSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import type { Cell } from "../coordinator/plan/plan.ts";
import { fieldTask, planSweep, trainTask } from "../coordinator/plan/plan.ts";
import { parseSweep } from "../coordinator/spec/parse-sweep.ts";
import type { Task, TaskResult } from "../shared/messages.ts";
import { localTransport } from "../shared/transport/local.ts";
import { resolveEngine } from "../worker/engines/registry.ts";
import { startWorker } from "../worker/worker.ts";

const [seeds = 50, threads = 2] = process.argv.slice(2).map(Number);
const POINTS = 16;
const SPEC = `
axes: {width: {from: 2, to: 11, step: 1}, depth: {from: 1, to: 4, step: 1}, seed: {count: ${seeds}}}
data: {name: circle, samples: 200}
training: {epochs: 1}
field: {points: ${POINTS}}
`;

const engine = resolveEngine("native");
const parsed = parseSweep(SPEC, { file: "tiny.yaml" });
if (!("sweep" in parsed)) throw new Error(JSON.stringify(parsed));
const plan = planSweep(parsed.sweep, engine);
const cells = new Map(plan.cells.map((cell) => [cell.id, cell]));
const transport = localTransport();
const worker = startWorker({ transport, name: "bench", engine, threads });
const stop = new AbortController();

await run(plan.cells.slice(0, 50)); // warm up
const [wall, before] = [performance.now(), cpuMs()];
const tasks = await run(plan.cells.slice(50));
const seconds = (performance.now() - wall) / 1000;
const after = cpuMs();
await worker.stop();
await transport.stop();

const main = (after.main - before.main) / tasks;
const others = (after.others - before.others) / tasks;
console.log(
  `${tasks} tasks, ${threads} threads: ${Math.round(tasks / seconds)} tasks/s; processor ${(main + others).toFixed(3)} ms a task: main thread ${main.toFixed(3)}, others ${others.toFixed(3)}`,
);

/** Has each cell trained and then its field computed. @returns how many tasks that were. */
async function run(wanted: readonly Cell[]): Promise<number> {
  const over = new AbortController();
  const rest = [...wanted];
  const train = () => {
    const cell = rest.shift();
    if (cell !== undefined) void transport.publish(trainTask(plan, cell));
  };
  for (let flight = 0; flight < 2 * threads; flight++) train();
  let done = 0;
  for await (const outcome of transport.outcomes(plan.sweep, { signal: over.signal })) {
    if (outcome.kind === "dead") throw new Error(outcome.letter.reason.message);
    await outcome.ack();
    const next = await follow(outcome.result);
    if (next === null) train();
    else await transport.publish(next);
    if (++done === 2 * wanted.length) over.abort();
  }
  return done;
}

/** The field task after a training, with its weights as the coordinator reads and offers them; null after a field. */
async function follow(result: TaskResult): Promise<Task | null> {
  if (result.kind !== "train") return null;
  const { digest } = result.weights[0]!;
  await transport.getBlob(plan.sweep, digest, { signal: stop.signal });
  const place = { snapshot: "end", weights: digest, side: POINTS, row: 0, column: 0 } as const;
  return fieldTask(plan, cells.get(result.cell)!, place);
}

/** Processor time so far. https://docs.kernel.org/scheduler/sched-stats.html: the first number, in nanoseconds. */
function cpuMs(): { main: number; others: number } {
  const of = (thread: string) =>
    Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e6;
  const main = of(String(process.pid));
  const all = readdirSync("/proc/self/task").map(of);
  return { main, others: all.reduce((sum, ms) => sum + ms, 0) - main };
}
