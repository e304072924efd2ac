import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { TaskResult } from "../messages.ts";
import type { TestServer } from "../testing/nats-server.ts";
import { startNatsServer } from "../testing/nats-server.ts";
import { fieldTaskFixture } from "../testing/task-fixture.ts";
import { tcpProxy } from "../testing/tcp-proxy.ts";
import { claimSweep } from "../transport/nats/claim.ts";
import type { Broker } from "../transport/nats/connect.ts";
import { connectBroker } from "../transport/nats/connect.ts";
import { coordinatorTransport } from "../transport/nats/coordinator-transport.ts";
import { sealed } from "../transport/nats/envelope.ts";
import { queueName, STREAMS, subjects } from "../transport/nats/names.ts";
import { readDeadLetters } from "../transport/nats/observe.ts";
import { planSetup, SETUP_DEFAULTS, setup } from "../transport/nats/setup.ts";
import type { WorkerTransportEvent } from "../transport/nats/worker-events.ts";
import { workerTransport } from "../transport/nats/worker-transport.ts";
import type { Outcome } from "../transport/transport.ts";
import { taskOf } from "../transport/transport.ts";

const LEASE_MS = 1_200;
/** Tries to reconnect after which the client gives up unless it is told otherwise. */
const USUAL_TRIES = 10;
const worker = { worker: "w1", engine: "test.1", signal: AbortSignal.timeout(120_000) };

let server: TestServer;
before(async () => {
  server = await startNatsServer();
});
after(async () => {
  await server.stop();
});

/** Ends of the broker for one test, which leave nothing behind. */
async function withEnds(
  body: (ends: {
    connect(url?: string): Promise<Broker>;
    coordinator: ReturnType<typeof coordinatorTransport>;
    newWorker(
      url?: string,
    ): Promise<ReturnType<typeof workerTransport> & { events: WorkerTransportEvent[] }>;
    broker: Broker;
  }) => Promise<void>,
): Promise<void> {
  const stops: (() => Promise<void>)[] = [];
  const connect = async (url = server.url) => {
    const broker = await connectBroker({ url });
    stops.push(() => broker.close());
    return broker;
  };
  const broker = await connect();
  const coordinator = coordinatorTransport({ broker, leaseMs: LEASE_MS, checkMs: 200 });
  stops.push(() => coordinator.stop());
  try {
    await body({
      connect,
      coordinator,
      broker,
      async newWorker(url) {
        const events: WorkerTransportEvent[] = [];
        const transport = workerTransport({
          broker: await connect(url),
          beatMs: 100,
          pullMs: 200,
          listMs: 200,
          onEvent: (event) => events.push(event),
        });
        stops.push(() => transport.stop());
        return { ...transport, events };
      },
    });
  } finally {
    await coordinator.cancel("s"); // also after a failure, which must stay this test's own
    for (const stop of stops.reverse()) await stop();
  }
}

test("nats: a worker that was cut off beyond its lease comes back with a result that is refused and counted", async () => {
  await withEnds(async ({ coordinator, newWorker }) => {
    const proxy = await tcpProxy(server.port);
    try {
      const cutOff = await newWorker(`nats://127.0.0.1:${proxy.port}`);
      const other = await newWorker();
      await coordinator.publish(fieldTaskFixture("a"));
      const first = await cutOff.lease(worker);
      proxy.cut();
      const second = await other.lease({ ...worker, worker: "w2" });
      assert.equal(second.attempt, 2);
      assert.equal(await second.complete(result("a", 2)), "stored");
      await until("the lease here has ended, too", () => first.signal.aborted);
      const late = first.complete(result("a", 1));
      proxy.mend();
      assert.equal(await late, "exists");
      assert.deepEqual(
        cutOff.events.filter(({ kind }) => kind === "late"),
        [{ kind: "late", task: "a" }],
      );
      const [outcome] = await collect(coordinator, 1);
      assert.equal(outcome?.kind === "result" && outcome.result.provenance.seconds, 2);
      assert.deepEqual(await coordinator.depth("s"), { waiting: 0, inFlight: 0 });
    } finally {
      await proxy.stop();
    }
  });
});

test("nats: results wait within their stream's bytes while no coordinator is there, then workers wait", async () => {
  await withEnds(async ({ broker, coordinator, newWorker }) => {
    const small = { ...SETUP_DEFAULTS, resultBytes: 300_000 };
    await setup(broker, small, { change: true });
    try {
      const tasks = Array.from({ length: 10 }, (_, i) => `t${i}`);
      for (const id of tasks) await coordinator.publish(fieldTaskFixture(id));
      const transport = await newWorker();
      let stored = 0;
      const all = Promise.all(
        tasks.map(async () => {
          const lease = await transport.lease(worker);
          const keeping = setInterval(() => void lease.extend(1).catch(() => {}), 200);
          assert.equal(await lease.complete(result(lease.task.id, 0, 20_000)), "stored");
          clearInterval(keeping);
          stored++;
        }),
      );
      await until("the stream is full", async () => {
        const { state } = await broker.jsm.streams.info(STREAMS.results);
        return state.bytes > 200_000 && stored === state.messages;
      });
      assert.ok(stored < tasks.length, `${stored} results fitted`);
      const outcomes = await collect(coordinator, tasks.length);
      await all;
      const found = outcomes.map((outcome) => outcome.kind === "result" && outcome.result.task);
      assert.deepEqual(found.sort(), tasks);
    } finally {
      await setup(broker, SETUP_DEFAULTS, { change: true });
    }
  });
});

test("nats: a task is taken at once when an idle worker that asked for one has been killed", async () => {
  await withEnds(async ({ connect, coordinator, newWorker }) => {
    await coordinator.open({ engine: "test.1", sweep: "s", priority: "normal" });
    const killed = await connect();
    const pull = `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.tasks}.${queueName("test.1", "s")}`;
    const ask = JSON.stringify({ batch: 1, expires: 60e9 });
    killed.nc.publish(pull, ask, { reply: "_INBOX.of.the.dead" });
    await killed.nc.flush();
    await killed.close();
    await coordinator.publish(fieldTaskFixture("a"));
    const lease = await (await newWorker()).lease(worker);
    assert.equal(lease.attempt, 1);
  });
});

test("nats: work goes on through a killed server: leases, results and a waiting worker", async () => {
  await withEnds(async ({ coordinator, newWorker }) => {
    const transport = await newWorker();
    await coordinator.publish(fieldTaskFixture("a"));
    const lease = await transport.lease(worker);
    const waiting = transport.lease(worker);
    await server.kill();
    const handedIn = lease.complete(result("a", 1));
    const published = coordinator.publish(fieldTaskFixture("b"));
    await server.restart();
    assert.equal(await handedIn, "stored");
    await published;
    let next = await waiting;
    // A server killed before it wrote down who had "a" hands it out again.
    if (next.task.id === "a") {
      assert.equal(await next.complete(result("a", 2)), "exists");
      next = await transport.lease(worker);
    }
    assert.equal(next.task.id, "b");
    await next.complete(result("b", 1));
    assert.deepEqual((await collect(coordinator, 2)).map(taskOf).sort(), ["a", "b"]);
  });
});

test("nats: a broker that cannot be reached for longer than a client usually tries is waited for", async () => {
  await withEnds(async ({ coordinator, newWorker }) => {
    const proxy = await tcpProxy(server.port);
    try {
      const away = await newWorker(`nats://127.0.0.1:${proxy.port}`);
      await coordinator.publish(fieldTaskFixture("a"));
      const lease = await away.lease(worker);
      proxy.hangUp();
      const handedIn = lease.complete(result("a", 1));
      await until("it has been tried often", () => proxy.refused > USUAL_TRIES + 1);
      proxy.mend();
      assert.equal(await handedIn, "stored");
      await coordinator.publish(fieldTaskFixture("b"));
      assert.equal((await away.lease(worker)).task.id, "b");
    } finally {
      await proxy.stop();
    }
  });
});

test("nats: a queue that was deleted is made again, and its open tasks are published anew", async () => {
  await withEnds(async ({ broker, coordinator, newWorker }) => {
    await coordinator.publish(fieldTaskFixture("done"));
    const transport = await newWorker();
    await (await transport.lease(worker)).complete(result("done", 1));
    await coordinator.publish(fieldTaskFixture("a"));
    const outcomes = collect(coordinator, 2);
    await broker.jsm.consumers.delete(STREAMS.tasks, queueName("test.1", "s"));
    const lease = await transport.lease(worker);
    assert.equal(lease.task.id, "a");
    await lease.complete(result("a", 1));
    assert.deepEqual((await outcomes).map(taskOf), ["done", "a"]);
  });
});

test("nats: a task whose result was lost after it was acknowledged is published anew", async () => {
  await withEnds(async ({ broker, coordinator, newWorker }) => {
    await coordinator.publish(fieldTaskFixture("a"));
    const transport = await newWorker();
    await (await transport.lease(worker)).complete(result("a", 1));
    await broker.jsm.streams.purge(STREAMS.results, { filter: subjects.result("s", "a") });
    const outcomes = collect(coordinator, 1);
    const again = await transport.lease(worker);
    assert.equal(again.task.id, "a");
    await again.complete(result("a", 2));
    assert.deepEqual((await outcomes).map(taskOf), ["a"]);
  });
});

test("nats: a broker that lost its streams ends the outcomes with BrokerResetError", async () => {
  await withEnds(async ({ broker, coordinator }) => {
    await coordinator.publish(fieldTaskFixture("a"));
    const outcomes = assert.rejects(collect(coordinator, 1), { name: "BrokerResetError" });
    await until("reading has begun", async () => {
      const { state } = await broker.jsm.streams.info(STREAMS.results);
      return state.consumer_count > 0;
    });
    await server.kill();
    await server.wipe();
    await server.restart();
    await outcomes;
  });
});

test("nats: a broker that lost its streams while its outcomes were being opened ends them, too", async () => {
  await withEnds(async ({ coordinator }) => {
    await coordinator.publish(fieldTaskFixture("a"));
    const outcomes = assert.rejects(collect(coordinator, 1), { name: "BrokerResetError" });
    await server.kill(); // at once: the streams are still being looked at
    await server.wipe();
    await server.restart();
    await outcomes;
  });
});

test("nats: a sweep can be cancelled at a broker that lost its streams", async () => {
  await withEnds(async ({ coordinator }) => {
    await coordinator.publish(fieldTaskFixture("a"));
    await server.kill();
    await server.wipe();
    await server.restart();
    await coordinator.cancel("s");
    assert.deepEqual(await coordinator.depth("s"), { waiting: 0, inFlight: 0 });
  });
});

test("nats: removing a blob or a task from a broker that lost its streams is no error", async () => {
  await withEnds(async ({ coordinator }) => {
    const task = fieldTaskFixture("a");
    await coordinator.publish(task);
    const digest = await coordinator.putBlob("s", new Uint8Array([1, 2, 3]));
    await server.kill();
    await server.wipe();
    await server.restart();
    await coordinator.dropBlob("s", digest);
    await coordinator.forget(task);
  });
});

test("nats: what is on a task's subject and is no task becomes a dead letter, and work goes on", async () => {
  await withEnds(async ({ broker, coordinator, newWorker }) => {
    await coordinator.open({ engine: "test.1", sweep: "s", priority: "normal" });
    const bad: Record<string, string> = {
      garbage: "\u0000\u0001not JSON",
      json: "[]",
      version: JSON.stringify({ ...fieldTaskFixture("version"), version: 99 }),
      path: JSON.stringify({ ...fieldTaskFixture("path"), cell: "../../etc" }),
      huge: JSON.stringify({ filler: "x".repeat(200_000) }),
    };
    for (const [id, text] of Object.entries(bad)) {
      const payload = Buffer.from(text);
      const options = id === "garbage" ? {} : { headers: sealed(payload) };
      await broker.js.publish(subjects.task("test.1", "s", id), payload, options);
    }
    const changed = Buffer.from(JSON.stringify(fieldTaskFixture("changed")));
    const headers = sealed(Buffer.from("what it was before"));
    await broker.js.publish(subjects.task("test.1", "s", "changed"), changed, { headers });
    const elsewhere = Buffer.from(JSON.stringify(fieldTaskFixture("elsewhere")));
    await broker.js.publish(subjects.task("test.1", "s", "moved"), elsewhere, {
      headers: sealed(elsewhere),
    });
    await coordinator.publish(fieldTaskFixture("good"));
    const transport = await newWorker();
    const lease = await transport.lease(worker);
    assert.equal(lease.task.id, "good");
    await lease.complete(result("good", 1));
    const outcomes = await collect(coordinator, 8);
    const letters = outcomes.flatMap((outcome) =>
      outcome.kind === "dead" ? [outcome.letter] : [],
    );
    const expected = [...Object.keys(bad), "changed", "moved"];
    assert.deepEqual(letters.map(({ task }) => task).sort(), expected.sort());
    assert.ok(letters.every(({ reason }) => reason.name === "InvalidTaskError"));
    assert.equal(transport.events.filter(({ kind }) => kind === "foreign").length, 7);
    assert.equal((await readDeadLetters(broker)).length, 7);
  });
});

test("nats: what is on a result's subject and is no result gives its task up, with the reason", async () => {
  await withEnds(async ({ broker, coordinator }) => {
    const bytes = Buffer.alloc(64);
    bytes.writeUInt32LE(4_000_000_000, 0);
    for (const [id, payload] of [
      ["a", Buffer.from("nonsense")],
      ["b", Buffer.alloc(0)],
      ["c", bytes],
    ] as const) {
      await coordinator.publish(fieldTaskFixture(id));
      await broker.js.publish(subjects.result("s", id), payload);
    }
    const outcomes = await collect(coordinator, 3);
    for (const outcome of outcomes) {
      assert.ok(outcome.kind === "dead");
      assert.equal(outcome.letter.reason.name, "ForeignMessage");
    }
  });
});

test("nats: a second coordinator of a sweep is refused while the first lives, also without looking at clocks", async () => {
  await withEnds(async ({ connect, broker }) => {
    await setup(broker);
    const sweep = { sweep: "claimed", name: "fig2", engine: "test.1" };
    const quick = { beatMs: 50, silentMs: 500 };
    const first = await claimSweep(broker, sweep, quick);
    const second = await connect();
    await assert.rejects(claimSweep(second, sweep, quick), {
      name: "LockedError",
      message: new RegExp(`fig2.*process ${process.pid}`),
    });
    await first.end("stopped");
    const third = await claimSweep(second, sweep, quick);
    await third.end();
  });
});

test("nats: setup says what it would change, changes it, and has nothing to do then", async () => {
  await withEnds(async ({ broker }) => {
    await setup(broker);
    const wanted = { ...SETUP_DEFAULTS, resultBytes: 1_000_000 };
    const [change, ...others] = await planSetup(broker, wanted);
    assert.deepEqual(others, []);
    assert.equal(change?.name, STREAMS.results);
    assert.match(change.differences.join(), /expected max_bytes 1000000, found 268435456/);
    await setup(broker, wanted); // a coordinator leaves it as the operator made it
    assert.equal((await planSetup(broker, wanted)).length, 1);
    await setup(broker, wanted, { change: true });
    assert.deepEqual(await planSetup(broker, wanted), []);
    await setup(broker, SETUP_DEFAULTS, { change: true });
  });
});

function result(id: string, seconds: number, points = 1): TaskResult {
  return {
    kind: "field",
    task: id,
    cell: "c",
    lambda1: new Float32Array(points),
    direction: new Float32Array(1),
    output: new Float32Array(1),
    provenance: { worker: "w1", engine: "test.1", version: "0", attempt: 1, seconds },
  };
}

type Coordinator = ReturnType<typeof coordinatorTransport>;

/** The next outcomes, acknowledged. */
async function collect(transport: Coordinator, count: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const outcome of transport.outcomes("s", { signal })) {
    outcomes.push(outcome);
    await outcome.ack();
    if (outcomes.length === count) break;
  }
  assert.equal(outcomes.length, count);
  return outcomes;
}

async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  while (!(await look())) {
    if (signal.aborted) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("nats: what a worker gives back while it stops is delivered to another, and counts as no attempt", async () => {
  await withEnds(async ({ connect, coordinator, newWorker }) => {
    const staying = await newWorker();
    for (let round = 0; round < 20; round++) {
      const broker = await connect();
      const leaving = workerTransport({ broker, pullMs: 60_000 });
      const over = new AbortController();
      const wanted = { worker: "leaving", engine: "test.1", signal: over.signal };
      // The request for two tasks stays open when one has come.
      const both = [leaving.lease(wanted), leaving.lease(wanted)];
      for (const one of both) one.catch(() => {});
      await coordinator.publish(fieldTaskFixture(`r${round}`));
      const lease = await Promise.race(both);
      over.abort(new Error("the worker stops"));
      await lease.giveBack();
      await leaving.stop();
      await broker.close();
      const { task, attempt, complete } = await staying.lease(worker);
      assert.deepEqual([task.id, attempt], [`r${round}`, 1]);
      await complete(result(task.id, attempt));
    }
  });
});
