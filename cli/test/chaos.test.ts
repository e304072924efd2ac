import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDeadLetters } from "../../coordinator/store/store.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import { longTest } from "../../shared/testing/long.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { inFolder } from "./support/folder.ts";
import type { Running } from "./support/ftle.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { FAULT } from "./support/poison.ts";
import { runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine, filesIn, journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

const isLong = process.env.FTLE_CHAOS === "long";
/** `npm run test:chaos` has five times as much of everything. */
const TIMES = isLong ? 5 : 1;
const SEEDS = 6 * TIMES;
const FAULTS = [
  ...Array<"worker">(10 * TIMES).fill("worker"),
  ...Array<"server">(3 * TIMES).fill("server"),
  ...Array<"coordinator">(2 * TIMES).fill("coordinator"),
  ...Array<"freeze">(TIMES).fill("freeze"),
];
const LEASE = "4s";
const LEASE_MS = 4_000;
const WORKERS = 3;
const DEADLINE_MS = TIMES * 170_000;

/** Trainings and tiles of some 50 ms of a core each; one network alone has five layers. */
const SPEC = `
axes: {width: [12, 16, 24], depth: [2, 4, 5], seed: {count: ${SEEDS}}}
where: depth < 5 || width == 12 && seed == 0
data: {name: circle, samples: 1000}
training: {epochs: 6, batch: 20}
field: {points: 192, tile: 64}
engine: reference
`;

longTest(
  "chaos: workers, broker and coordinator are killed at random, and the store has the bytes of a quiet run",
  async (t) => {
    await inFolder(async (folder) => {
      const spec = join(folder, "spec.yaml");
      await writeFile(spec, SPEC);
      const quiet = join(folder, "quiet");
      const { tasksRun: all } = await runHere(spec, quiet);
      assert.ok(all >= 300, `${all} tasks`);

      const directory = join(folder, "chaos");
      const server = await startNatsServer();
      const workers = Array.from({ length: WORKERS }, (_, i) =>
        keptWorker(server.url, `w${i + 1}`),
      );
      const nats = ["--nats", server.url, "--lease", LEASE, "--no-plot", "--quiet"];
      let coordinator: Running = spawnFtle("run", spec, "--out", directory, ...nats);
      const random = randomStream([5, 5], "data", 0);
      const faults = shuffled(FAULTS, random);
      const count = { worker: 0, server: 0, coordinator: 0, freeze: 0 };
      try {
        for (const [i, fault] of faults.entries()) {
          const due = Math.floor(((i + 1) * (all - 60)) / (faults.length + 1));
          await until(
            `${due} results stored`,
            async () => (await journalled(directory).catch(() => [])).length >= due,
            DEADLINE_MS,
          );
          count[fault]++;
          if (fault === "worker") workers[random.below(WORKERS)]!.kill();
          if (fault === "freeze") void workers[random.below(WORKERS)]!.freeze(2 * LEASE_MS);
          if (fault === "server") {
            await server.kill();
            await server.restart();
          }
          if (fault === "coordinator") {
            coordinator.kill("SIGKILL");
            await coordinator.ended;
            assert.deepEqual((await examine(directory)).damaged, []);
            coordinator = spawnFtle("resume", directory, ...nats);
          }
        }
        const { code, stderr } = await coordinator.ended;
        assert.equal(code, 3, stderr);

        const dead = (await filesIn(directory)).filter((path) => path.startsWith("dead/"));
        const tasks = dead.map((path) => path.slice("dead/".length, -".json".length));
        const reasons = (await readDeadLetters(directory, tasks)).map(
          ({ reason }) => reason.message,
        );
        assert.equal(reasons.length, 2, reasons.join("\n"));
        const wasKilled = (reason: string) => /killed, or silent/.test(reason);
        assert.ok(reasons.some(wasKilled), reasons.join("\n"));
        // The other throws each time; but the worker that has it for the last time may be killed, too.
        assert.ok(
          reasons.every((reason) => wasKilled(reason) || reason.includes(FAULT)),
          reasons.join("\n"),
        );
        const lines = await journalled(directory);
        assert.equal(new Set(lines).size, lines.length, "a result was stored twice");
        const { plan } = await loadStored(directory);
        const tiles = (192 / 64) ** 2;
        assert.equal(
          (await examine(directory)).tasks.size,
          plan.cells.length * (1 + tiles) - 1 - tiles - 1,
        );
      } finally {
        coordinator.kill("SIGKILL");
        await Promise.all(workers.map((worker) => worker.stop()));
      }
      // Once the cause is gone, what was given up is all that is missing.
      const healthy = spawnFtle("worker", "--nats", server.url, "--engine", "reference", "--quiet");
      try {
        const { code, stderr } = await ftle("retry", directory, ...nats);
        assert.equal(code, 0, stderr);
        assertSameContents(await contents(directory), await contents(quiet));
      } finally {
        healthy.kill("SIGTERM");
        await healthy.ended;
        await server.stop();
      }
      t.diagnostic(`${all} tasks; ${JSON.stringify(count)}`);
    });
  },
);

/** A worker process that is started again whenever it dies, as a cluster does. */
function keptWorker(url: string, name: string) {
  let isOver = false;
  let child = start();
  function start(): ChildProcess {
    const module = fileURLToPath(moduleFile("cli/test/support/chaos-worker"));
    const started = spawn(process.execPath, [...LOADER, module, url, name], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    started.once("exit", () => {
      if (!isOver) child = start();
    });
    return started;
  }
  return {
    kill() {
      child.kill("SIGKILL");
    },
    async freeze(ms: number) {
      const frozen = child;
      frozen.kill("SIGSTOP");
      await new Promise((resolve) => setTimeout(resolve, ms));
      frozen.kill("SIGCONT");
    },
    async stop() {
      isOver = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await gone;
    },
  };
}

function shuffled<T>(values: readonly T[], random: { below(n: number): number }): T[] {
  const left = [...values];
  return values.map(() => left.splice(random.below(left.length), 1)[0]!);
}
