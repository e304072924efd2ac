import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { TestServer } from "../../shared/testing/nats-server.ts";
import { startNatsServer } from "../../shared/testing/nats-server.ts";
import { inFolder } from "./support/folder.ts";
import type { Running } from "./support/ftle.ts";
import { ftle, ftleWith, spawnFtle } from "./support/ftle.ts";
import { journalled } from "./support/stored.ts";
import { until } from "./support/until.ts";

/** A training and 16 tiles of a core's second each. */
const SPEC = `
name: watched
axes: {width: [24], depth: [3], seed: {count: 2}}
data: {name: circle, samples: 1000}
training: {epochs: 4, batch: 20}
field: {points: 256, tile: 64}
engine: reference
`;
const TRAININGS = 2;
const TILES = 2 * 16;

/** One training of minutes. */
const LONG = `
axes: {width: 64, depth: 8}
data: {name: circle, samples: 20000}
training: {epochs: 100, batch: 20}
field: none
engine: reference
`;

let server: TestServer;
before(async () => {
  server = await startNatsServer();
});
after(async () => {
  await server.stop();
});

async function withSpec(
  body: (rig: {
    readonly spec: string;
    readonly directory: string;
    start(...args: string[]): Running;
  }) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    const started: Running[] = [];
    try {
      await body({
        spec,
        directory: join(folder, "out"),
        start(...args) {
          const running = spawnFtle(...args);
          started.push(running);
          return running;
        },
      });
    } finally {
      for (const running of started) running.kill("SIGKILL");
      await Promise.all(started.map(({ ended }) => ended));
    }
  });
}

/** Where a process says that it serves its metrics. */
async function urlOf(running: Running): Promise<string> {
  const said = () => /metrics at (http:\S+)\/metrics/.exec(running.stderr())?.[1];
  await until("it says where its metrics are", () => said() !== undefined);
  return said()!;
}

/** Asks once and leaves: no connection stays open that would keep a process alive. */
async function get(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers: { Connection: "close" } });
  return { status: response.status, text: await response.text() };
}

/** A sample's value, by its name and labels. */
function valueIn(text: string, sample: string): number {
  const line = text.split("\n").find((other) => other.startsWith(`${sample} `));
  return Number(line?.slice(sample.length));
}

test("metrics: a run and its worker export what they do; a coordinator that is scraped stays until its end has been scraped", async () => {
  await withSpec(async ({ spec, directory, start }) => {
    const nats = ["--nats", server.url] as const;
    const run = ["run", spec, "--out", directory, "--no-plot", ...nats, "--metrics", "0"];
    const killed = start(...run);
    const first = await urlOf(killed);
    // Not earlier: a heartbeat that finds no bucket is lost, and the sweep may be over before the next.
    const worker = start("worker", "--engine", "reference", ...nats, "--metrics", "0");
    await until("some results are stored", async () => (await journalled(directory)).length > 4);
    const done = 'ftle_sweep_operations_done_total{sweep="watched"}';
    const before = valueIn((await get(`${first}/metrics`)).text, done);
    assert.ok(before > 0);
    killed.kill("SIGKILL");
    await killed.ended;

    const again = start(...run, "--deadline", "2h");
    const url = await urlOf(again);
    const atWorker = await urlOf(worker);
    await until("the worker is heard", async () => (await get(`${url}/workers`)).text !== "[]");
    const [target] = JSON.parse((await get(`${url}/workers`)).text);
    assert.equal(`http://${target.targets[0]}`, atWorker);
    assert.equal(target.labels.engine, "reference-f64.1");
    assert.equal((await get(`${url}/readyz`)).status, 200);
    assert.equal((await get(`${atWorker}/readyz`)).status, 200);
    const text = (await get(`${url}/metrics`)).text;
    assert.ok(valueIn(text, done) >= before, "it forgot what is stored");
    const deadline = valueIn(text, 'ftle_sweep_deadline_timestamp_seconds{sweep="watched"}');
    assert.ok(Math.abs(deadline - Date.now() / 1000 - 7200) < 120);
    assert.equal(valueIn(text, "ftle_broker_connected"), 1);

    let last = text;
    let isOver = false;
    const ended = again.ended.finally(() => {
      isOver = true;
    });
    const isSeenToEnd = async () => {
      last = await get(`${url}/metrics`).then(
        (answer) => answer.text,
        () => last, // it has ended
      );
      return isOver;
    };
    await until("it ends", isSeenToEnd, 120_000);
    assert.equal((await ended).code, 0);
    const atEnd = (sample: string) => valueIn(last, sample);
    assert.equal(atEnd('ftle_sweep_state{sweep="watched",state="complete"}'), 1);
    assert.equal(atEnd('ftle_sweep_tasks{sweep="watched",kind="field",state="done"}'), TILES);
    assert.equal(atEnd('ftle_sweep_tasks{sweep="watched",kind="train",state="done"}'), TRAININGS);
    const counted = (await get(`${atWorker}/metrics`)).text;
    const tiles = valueIn(counted, 'ftle_worker_tasks_total{kind="field",outcome="done"}');
    const trainings = valueIn(counted, 'ftle_worker_tasks_total{kind="train",outcome="done"}');
    assert.ok(tiles >= TILES && trainings >= TRAININGS);
    assert.ok(
      valueIn(counted, 'ftle_worker_points_total{engine="reference-f64.1"}') >= 2 * 256 ** 2,
    );
    assert.ok(valueIn(counted, 'ftle_worker_samples_total{engine="reference-f64.1"}') > 0);
  });
});

test("metrics: no process is ready while the broker is away, and a worker is not while it drains", async () => {
  await withSpec(async ({ spec, directory, start }) => {
    const own = await startNatsServer();
    try {
      const nats = ["--nats", own.url, "--metrics", "0"] as const;
      await writeFile(spec, LONG);
      const worker = start("worker", "--engine", "reference", "--grace", "60s", ...nats);
      const run = start("run", spec, "--out", directory, "--no-plot", ...nats);
      const places = [await urlOf(worker), await urlOf(run)];
      const ready = async () => {
        const answers = await Promise.all(places.map((url) => get(`${url}/readyz`)));
        return answers.map(({ status }) => status).join();
      };
      await until("both are ready", async () => (await ready()) === "200,200");
      await until("both are connected", async () => {
        const texts = await Promise.all(places.map(async (url) => await get(`${url}/metrics`)));
        return texts.every(({ text }) => valueIn(text, "ftle_broker_connected") === 1);
      });
      await own.kill();
      await until("both see that it is away", async () => (await ready()) === "503,503");
      assert.match((await get(`${places[0]}/readyz`)).text, /the broker is away/);
      assert.equal((await get(`${places[0]}/healthz`)).status, 200);
      await own.restart();
      await until("both are ready again", async () => (await ready()) === "200,200");
      const atWorker = async () => (await get(`${places[0]}/metrics`)).text;
      await until("it has a task", async () => {
        return valueIn(await atWorker(), "ftle_worker_threads_busy") === 1;
      });
      worker.kill("SIGTERM");
      await until(
        "it drains",
        async () => (await get(`${places[0]}/readyz`)).text === "draining\n",
      );
      assert.equal(valueIn(await atWorker(), "ftle_worker_draining"), 1);
    } finally {
      await own.stop();
    }
  });
});

test("metrics: without a broker the threads are exported, too; a run does not wait for a scraper that never came", async () => {
  await withSpec(async ({ spec, directory, start }) => {
    const run = ["run", spec, "--out", directory, "--no-plot", "--metrics", "127.0.0.1:0"];
    const watched = start(...run, "--metrics-linger", "100ms");
    const url = await urlOf(watched);
    await until("its threads are exported", async () => {
      const { text } = await get(`${url}/metrics`);
      assert.match(text, /^process_cpu_seconds_total /m);
      return /^ftle_worker_info\{.*engine="reference-f64\.1"\} 1$/m.test(text);
    });
    assert.equal((await watched.ended).code, 0);
    const unseen = start(...run);
    assert.equal((await unseen.ended).code, 0);
  });
});

test("metrics: an address that is in use or invalid is reported in one line, with exit code 2", async () => {
  await withSpec(async ({ spec, directory }) => {
    const taken = `127.0.0.1:${server.port}`;
    for (const [args, said] of [
      [["--metrics", taken], /expected a free port for metrics, found 127\.0\.0\.1:\d+ in use/],
      [["--metrics", "here"], /Expected host:port or a port, got here/],
      [["--deadline", "soon"], /Expected a time such as .*, or a duration such as 36h, got soon/],
    ] as const) {
      const { code, stderr } = await ftle("run", spec, "--out", directory, ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, said);
      assert.doesNotMatch(stderr, /\n {4}at /);
    }
    const env = { FTLE_METRICS: "nowhere at all", FTLE_NATS: server.url };
    assert.equal((await ftleWith(env, "worker")).code, 2);
  });
});
