import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Task } from "../../shared/messages.ts";
import { localTransport } from "../../shared/transport/local.ts";
import type { Transport } from "../../shared/transport/transport.ts";
import { planSweep } from "../plan/plan.ts";
import type { RunOptions } from "../run/run.ts";
import { runSweep } from "../run/run-sweep.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import { untouched } from "../store/scan.ts";
import type { Store } from "../store/store.ts";
import { openStore } from "../store/store.ts";

const ENGINE = "test.1";
const NO_HISTORY = { trainLoss: [], trainAccuracy: [], testLoss: [], testAccuracy: [] };

interface Bench {
  readonly transport: Transport;
  /** Runs a sweep of so many trainings; ends when `stop` is called. */
  run(
    options: Pick<RunOptions, "flight" | "onFlight"> & {
      transport: Transport;
      trainings: number;
      slowly?(store: Store): Store;
    },
  ): Promise<void>;
  stop(): void;
  /** Waits until a task comes. */
  lease(): Promise<string>;
}

async function onBench(body: (bench: Bench) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "ftle-run-sweep-"));
  const transport = localTransport();
  const store = await openStore(directory);
  const stopped = new AbortController();
  const reason = new Error("enough seen");
  const deadline = AbortSignal.timeout(60_000);
  try {
    await body({
      transport,
      async run({ trainings, slowly = (same) => same, ...options }) {
        const text = `{axes: {width: 5, depth: 2, seed: {count: ${trainings}}}, field: none}`;
        const parsed = parseSweep(text, { file: "test.yaml" });
        assert.ok("sweep" in parsed);
        const plan = planSweep(parsed.sweep, ENGINE);
        const cells = plan.cells.map(untouched);
        const state = { cells, dead: new Set<string>(), damaged: [] };
        const { signal } = stopped;
        const running = runSweep({
          ...{ plan, store: slowly(store), state, signal, onEvent() {} },
          ...options,
        });
        await assert.rejects(running, reason);
      },
      stop: () => stopped.abort(reason),
      async lease() {
        const { task } = await transport.lease({ worker: "w", engine: ENGINE, signal: deadline });
        return task.id;
      },
    });
  } finally {
    stopped.abort(reason);
    await transport.stop();
    await store.close();
    await rm(directory, { recursive: true, force: true });
  }
}

test("run: new threads get tasks at once, while those handed out before still run", async () => {
  await onBench(async ({ transport, run, stop, lease }) => {
    let flight = 1;
    let more = () => {};
    const onFlight = (listener: () => void) => {
      more = listener;
    };
    const running = run({ trainings: 5, transport, flight: () => flight, onFlight });
    const tasks = [await lease()];
    flight = 3;
    more();
    tasks.push(await lease(), await lease());
    assert.equal(new Set(tasks).size, 3);
    stop();
    await running;
  });
});

test("run: hands out no more than the flight, and makes at most 256 requests to the transport at a time", async () => {
  await onBench(async ({ transport, run, stop }) => {
    const waiting: (() => void)[] = [];
    let published = 0;
    const slow: Transport = {
      ...transport,
      async publish(task) {
        published++;
        await new Promise<void>((resolve) => waiting.push(resolve));
        await transport.publish(task);
      },
    };
    const running = run({ trainings: 700, transport: slow, flight: () => 600 });
    while (published < 256) await turn();
    assert.equal(published, 256);
    waiting.shift()!();
    while (published < 257) await turn();
    assert.equal(waiting.length, 256);
    while (published < 600) {
      assert.ok(waiting.length <= 256);
      waiting.shift()?.();
      await turn();
    }
    for (const resolve of waiting) resolve();
    for (let i = 0; i < 100; i++) await turn();
    assert.equal(published, 600);
    stop();
    await running;
  });
});

test("run: an outcome that is delivered twice is not acknowledged before it is stored", async () => {
  await onBench(async ({ transport, run, stop }) => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const acknowledged: string[] = [];
    let putting = 0;
    const result = async (task: Task) => ({
      ...{ kind: "train" as const, task: task.id, cell: task.cell, status: "diverged" as const },
      ...{ reason: "a test", epochs: 0, weights: [], history: NO_HISTORY },
      provenance: { worker: "w", engine: ENGINE, version: "0", attempt: 1, seconds: 1 },
    });
    const twice: Transport = {
      ...transport,
      async *outcomes(_, { signal }) {
        const { task } = await transport.lease({ worker: "w", engine: ENGINE, signal });
        for (const name of ["first", "second"]) {
          const ack = async () => void acknowledged.push(name);
          yield { kind: "result", result: await result(task), ack };
        }
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      },
    };
    const slowly = (store: Store): Store => ({
      ...store,
      async putTraining(...training) {
        putting++;
        await gate;
        return await store.putTraining(...training);
      },
    });
    const running = run({ trainings: 3, transport: twice, flight: () => 1, slowly });
    while (putting === 0) await turn();
    for (let i = 0; i < 100; i++) await turn();
    assert.deepEqual(acknowledged, []);
    open();
    while (acknowledged.length < 2) await turn();
    assert.deepEqual([acknowledged, putting], [["first", "second"], 1]);
    stop();
    await running;
  });
});
