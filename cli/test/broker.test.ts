import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readRecords } from "../../coordinator/store/store.ts";
import type { TestServer } from "../../shared/testing/nats-server.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { connectBroker } from "../../shared/transport/nats/connect.ts";
import { STREAMS } from "../../shared/transport/nats/names.ts";
import { readBrokerState } from "../sweeps/broker-state.ts";
import { inFolder } from "./support/folder.ts";
import type { Running } from "./support/ftle.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

/** Six trainings and 54 tiles, of some 25 ms of a core each. */
const SPEC = `
name: trial
axes: {width: [24, 32], depth: [3], seed: {count: 3}}
data: {name: circle, samples: 1000}
training: {epochs: 4, batch: 20}
field: {points: 96, tile: 32}
engine: reference
`;
const SEEDS = 3;
const TASKS = 2 * SEEDS * (1 + 9);

/** One training of some seconds. */
const LONG = `
axes: {width: 24, depth: 4}
data: {name: circle, samples: 4000}
training: {epochs: 12, batch: 20, optimizer: adam, learningRate: 0.001}
field: none
engine: reference
`;

let server: TestServer;
let broker: Broker;
before(async () => {
  server = await startNatsServer();
  broker = await connectBroker({ url: server.url });
});
after(async () => {
  await broker.close();
  await server.stop();
});

/** The sweeps at the broker, as `ftle status` prints them. */
async function sweepsThere() {
  return (await readBrokerState(broker)).sweeps;
}

interface Bench {
  readonly spec: string;
  readonly directory: string;
  /** Starts a process that is ended when the test is over. */
  start(...args: string[]): Running;
  startWorker(...args: string[]): Running;
  /** Waits until so many results are stored. */
  stored(count: number): Promise<void>;
  status(): Promise<Status>;
}

interface Status {
  readonly sweeps: readonly {
    readonly sweep: string;
    readonly name: string;
    readonly phase: string;
    readonly depth: { readonly waiting: number; readonly inFlight: number };
    readonly progress: { readonly tasksDone: number; readonly tasksTotal: number } | null;
  }[];
  readonly workers: readonly { readonly name: string; readonly threads: number }[];
  readonly letters: readonly unknown[];
}

async function onBench(body: (bench: Bench) => Promise<void>, seeds = SEEDS): Promise<void> {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    const directory = join(folder, "out");
    await writeFile(spec, SPEC.replace("seed: {count: 3}", `seed: {count: ${seeds}}`));
    const started: Running[] = [];
    const start = (...args: string[]) => {
      const running = spawnFtle(...args, "--nats", server.url);
      started.push(running);
      return running;
    };
    try {
      await body({
        spec,
        directory,
        start,
        startWorker: (...args) =>
          start("worker", "--engine", "reference", "--threads", "2", ...args),
        async stored(count) {
          await until(`${count} results`, async () => {
            return (await journalled(directory)).length >= count;
          });
        },
        async status() {
          const { code, stdout, stderr } = await ftle("status", "--nats", server.url, "--json");
          assert.equal(code, 0, stderr);
          return JSON.parse(stdout) as Status;
        },
      });
    } finally {
      for (const running of started) running.kill("SIGKILL");
      await Promise.all(started.map(({ ended }) => ended));
    }
  });
}

test("broker: a sweep over it has the bytes of a run on one machine, and leaves nothing there", async () => {
  await onBench(async ({ spec, directory, start, startWorker, status }) => {
    const worker = startWorker("--name", "w1");
    const { code, stdout, stderr } = await start(
      "run",
      spec,
      "--out",
      directory,
      "--no-plot",
      "--json",
    ).ended;
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).tasksRun, 20);
    const here = `${directory}-here`;
    await runHere(spec, here);
    assertSameContents(await contents(directory), await contents(here));
    // The worker came before the broker was set up: its first heartbeat was lost, and the second is the first kept.
    await until("w1 is seen", async () => (await readBrokerState(broker)).workers.length > 0);
    const { sweeps, workers, letters } = await status();
    assert.deepEqual([sweeps, letters], [[], []]);
    assert.deepEqual(
      workers.map(({ name, threads }) => ({ name, threads })),
      [{ name: "w1", threads: 2 }],
    );
    worker.kill("SIGTERM");
    const end = await worker.ended;
    assert.equal(end.code, 0, end.stderr);
    assert.match(end.stdout, /20 tasks done/);
    assert.deepEqual((await status()).workers, [], "it has gone and is still listed");
  }, 1);
});

test("broker: status shows a running sweep; a second coordinator is refused; pause, unpause and cancel act", async () => {
  await onBench(async ({ spec, directory, start, startWorker, stored, status }) => {
    startWorker("--name", "w1");
    const run = start(
      "run",
      spec,
      "--out",
      directory,
      "--no-plot",
      "--quiet",
      "--priority",
      "high",
    );
    await stored(3);
    assert.equal((await start("pause", "trial").ended).code, 0);
    await until("the sweep is paused and idle", async () => {
      const sweeps = await sweepsThere();
      return sweeps[0]?.phase === "paused" && sweeps[0].depth.inFlight === 0;
    });
    const before = (await journalled(directory)).length;
    assert.ok(before < 4 * TASKS, "it was over before it was paused");
    const second = await start("run", spec, "--out", `${directory}-2`, "--no-plot").ended;
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^ftle: sweep \w+ \(trial\) is in use by process \d+ on/m);
    assert.doesNotMatch(second.stderr, /\n\s+at /);

    assert.equal((await start("unpause", directory).ended).code, 0);
    await stored(before + 2);

    const cancelled = await start("cancel", "trial", "--json").ended;
    assert.equal(cancelled.code, 0, cancelled.stderr);
    assert.equal(JSON.parse(cancelled.stdout).isHeard, true);
    const { code, stderr } = await run.ended;
    assert.equal(code, 4);
    assert.match(stderr, /was cancelled; what is stored stays/);
    assert.deepEqual((await status()).sweeps, []);

    const { damaged, tasks } = await examine(directory);
    assert.deepEqual(damaged, []);
    const resumed = await start("resume", directory, "--no-plot", "--json").ended;
    assert.equal(resumed.code, 0, resumed.stderr);
    assert.equal(JSON.parse(resumed.stdout).tasksRun, 4 * TASKS - tasks.size);
  }, 4 * SEEDS);
});

test("broker: a broker that lost all it had in mid-sweep does not stop the run, nor a resume", async () => {
  await onBench(async ({ spec, directory, start, startWorker, stored }) => {
    startWorker();
    const lose = async () => {
      await server.kill();
      await server.wipe();
      await server.restart();
    };
    const run = start("run", spec, "--out", directory, "--no-plot", "--quiet", "--lease", "2s");
    await stored(8);
    await lose();
    await stored(20);
    run.kill("SIGKILL");
    await run.ended;
    await lose();
    const { code, stderr } = await start("resume", directory, "--no-plot", "--lease", "2s").ended;
    assert.equal(code, 0, stderr);
    const { damaged, tasks } = await examine(directory);
    assert.deepEqual(damaged, []);
    assert.equal(tasks.size, TASKS);
  });
});

test("broker: two sweeps at once are both served, by the same workers", async () => {
  await onBench(async ({ spec, directory, start, startWorker }) => {
    const other = `${spec}.other.yaml`;
    await writeFile(other, SPEC.replace("seed: {count: 3}", "seed: {from: 10, count: 3}"));
    const first = start("run", spec, "--out", directory, "--no-plot", "--quiet");
    const second = start("run", other, "--out", `${directory}-2`, "--no-plot", "--quiet");
    await until("both have tasks waiting", async () => {
      const sweeps = await sweepsThere();
      return sweeps.length === 2 && sweeps.every(({ depth }) => depth.waiting > 0);
    });
    startWorker();
    const counts = async () => [
      (await journalled(directory)).length,
      (await journalled(`${directory}-2`)).length,
    ];
    await until("each has some results", async () => Math.min(...(await counts())) >= 10);
    assert.ok(Math.max(...(await counts())) < TASKS, "one had to wait for the other");
    assert.deepEqual([(await first.ended).code, (await second.ended).code], [0, 0]);
  });
});

test("broker: a worker asked to stop gives back what it cannot finish, and another has it at once", async () => {
  await onBench(async ({ spec, directory, start, startWorker, stored }) => {
    const leaving = startWorker("--name", "leaving", "--grace", "1ms");
    const run = start("run", spec, "--out", directory, "--no-plot", "--quiet", "--lease", "10m");
    await stored(5);
    leaving.kill("SIGTERM");
    const left = await leaving.ended;
    assert.equal(left.code, 0, left.stderr);
    assert.match(left.stdout, /given back|tasks done$/m);
    startWorker("--name", "staying");
    // A task that was not given back would be waited for beyond any deadline: its lease lasts ten minutes.
    let code: number | null = null;
    void run.ended.then((end) => {
      code = end.code;
    });
    await until("the run has ended", () => code !== null, 120_000);
    assert.equal(code, 0);
  });
});

test("broker: a worker that joins has tasks at once, however long those of the others take", async () => {
  await onBench(async ({ spec, directory, start, startWorker }) => {
    const endless = LONG.replace("depth: 4", "depth: 4, seed: {count: 6}");
    await writeFile(spec, endless.replace("epochs: 12", "epochs: 100000"));
    const run = start("run", spec, "--out", directory, "--no-plot", "--quiet");
    const inFlight = async () => (await sweepsThere())[0]?.depth.inFlight;
    startWorker("--name", "early");
    await until("two tasks run", async () => (await inFlight()) === 2);
    startWorker("--name", "late");
    await until("four tasks run", async () => (await inFlight()) === 4);
    assert.equal((await start("cancel", directory).ended).code, 0); // the broker is the next test's, too
    assert.equal((await run.ended).code, 4);
  });
});

test("broker: a worker that is idle long enough ends by itself", async () => {
  await onBench(async ({ startWorker }) => {
    const { code, stderr } = await startWorker("--exit-when-idle", "500ms").ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /idle for/);
  });
});

test("broker: a training whose worker is killed goes on elsewhere from its checkpoint, to the same bytes", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    const [directory, here] = [join(folder, "out"), join(folder, "here")];
    await writeFile(spec, LONG);
    const nats = ["--nats", server.url];
    const startWorker = (name: string) =>
      spawnFtle(
        "worker",
        ...nats,
        "--engine",
        "reference",
        "--name",
        name,
        "--checkpoint-every",
        "50ms",
      );
    const first = startWorker("first");
    const run = spawnFtle("run", spec, "--out", directory, ...nats, "--lease", "1s", "--no-plot");
    let second: Running | null = null;
    try {
      await until("there are checkpoints of more than one epoch", async () => {
        const found = await broker.jsm.streams.info(STREAMS.state).catch(() => null);
        return (found?.state.last_seq ?? 0) >= 12;
      });
      first.kill("SIGKILL");
      second = startWorker("second");
      const { code, stderr } = await run.ended;
      assert.equal(code, 0, stderr);
      await runHere(spec, here);
      assertSameContents(await contents(directory), await contents(here));
      const [record] = await cellRecords(directory);
      const { worker, attempt } = record!.provenance;
      assert.deepEqual({ worker, attempt }, { worker: "second", attempt: 2 });
      const whole = (await cellRecords(here))[0]!.provenance.seconds;
      assert.ok(whole > 0.5, `the training takes ${whole} s: too short for this test`);
    } finally {
      for (const running of [first, run, second]) running?.kill("SIGKILL");
      await Promise.all([first.ended, run.ended, second?.ended]);
    }
  });
});

async function cellRecords(directory: string) {
  const records = [];
  for await (const record of readRecords(directory)) records.push(record);
  return records;
}
