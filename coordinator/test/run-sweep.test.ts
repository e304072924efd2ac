import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { localTransport } from "../../shared/transport/local.ts";
import type { Transport } from "../../shared/transport/transport.ts";
import { planSweep } from "../plan/plan.ts";
import type { RunOptions } from "../run/run.ts";
import { runSweep } from "../run/run-sweep.ts";
import { parseSweep } from "../spec/parse-sweep.ts";
import { openStore } from "../store/store.ts";

const ENGINE = "test.1";

interface Bench {
  readonly transport: Transport;
  /** Runs a sweep of so many trainings; ends when `stop` is called. */
  run(
    options: Pick<RunOptions, "flight" | "onFlight"> & { transport: Transport; trainings: number },
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
      async run({ trainings, ...options }) {
        const text = `{axes: {width: 5, depth: 2, seed: {count: ${trainings}}}, field: none}`;
        const parsed = parseSweep(text, { file: "test.yaml" });
        assert.ok("sweep" in parsed);
        const plan = planSweep(parsed.sweep, ENGINE);
        const cells = plan.cells.map((cell) => ({ cell, record: null, fields: [] }));
        const state = { cells, dead: new Set<string>(), damaged: [] };
        const { signal } = stopped;
        const running = runSweep({ plan, store, state, signal, onEvent() {}, ...options });
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
