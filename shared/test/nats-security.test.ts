import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { NatsConnection } from "@nats-io/transport-node";
import { createInbox, PermissionViolationError } from "@nats-io/transport-node";
import type { TaskResult } from "../messages.ts";
import type { SecuredServer } from "../testing/nats-keys.ts";
import { makeKeys, startSecuredServer } from "../testing/nats-keys.ts";
import { fieldTaskFixture } from "../testing/task-fixture.ts";
import { transportContract } from "../testing/transport-contract.ts";
import { claimSweep, readSweeps } from "../transport/nats/claim.ts";
import type { Broker } from "../transport/nats/connect.ts";
import { connectBroker } from "../transport/nats/connect.ts";
import { coordinatorTransport } from "../transport/nats/coordinator-transport.ts";
import type { Role } from "../transport/nats/names.ts";
import { INBOXES, STREAMS } from "../transport/nats/names.ts";
import { readDeadLetters, readDepths } from "../transport/nats/observe.ts";
import { readQueues } from "../transport/nats/queue-list.ts";
import { isSetUp, planSetup, SETUP_DEFAULTS, setup } from "../transport/nats/setup.ts";
import { workerTransport } from "../transport/nats/worker-transport.ts";
import { readWorkers } from "../transport/nats/workers.ts";

const leaseMs = 900;
const policy = { leaseMs, maxDeliveries: 5, backoffMs: (n: number) => 100 * n };

let server: SecuredServer;
before(async () => {
  server = await startSecuredServer();
});
after(async () => {
  await server.stop();
});

transportContract("nats under roles, over TLS,", policy, async () => {
  const brokers = [await server.connect("coordinator"), await server.connect("worker")] as const;
  const coordinator = coordinatorTransport({ broker: brokers[0], leaseMs, checkMs: 500 });
  const worker = workerTransport({ broker: brokers[1], policy, beatMs: 50, pullMs: 200 });
  const stop = async () => {
    await Promise.all([coordinator.stop(), worker.stop()]);
  };
  return {
    transport: { ...worker, ...coordinator, lease: worker.lease, announce: worker.announce, stop },
    passTime: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async stop() {
      await stop();
      const cleaner = coordinatorTransport({ broker: brokers[0] });
      for (const sweep of ["s", "another"]) await cleaner.cancel(sweep);
      for (const broker of brokers) await broker.close();
    },
  };
});

test("roles: what the coordinator, workers and observers do needs no right that they lack", async () => {
  await withRoles(async ({ coordinator, worker, observer }) => {
    await setup(coordinator, { ...SETUP_DEFAULTS, resultBytes: 300e6 }, { change: true });
    assert.deepEqual(await planSetup(coordinator, { ...SETUP_DEFAULTS, resultBytes: 300e6 }), []);
    const claim = await claimSweep(coordinator, { sweep: "s", name: "n", engine: "test.1" });
    const boss = coordinatorTransport({ broker: coordinator, leaseMs });
    const hand = workerTransport({ broker: worker, policy, pullMs: 200 });
    const profile = { name: "w1", engine: "test.1", threads: 1, version: "0" };
    await hand.announce({ ...profile, rates: { train: 1, field: 1 } });
    for (const id of ["a", "b"]) await boss.publish(fieldTaskFixture(id));
    await (await hand.lease(wanted())).reject({ name: "Error", message: "no" });
    const lease = await hand.lease(wanted());

    const blob = new Uint8Array(2_500_000).map((_, i) => i * 13);
    const signal = deadline();
    const fromWorker = await hand.putBlob("s", blob);
    assert.deepEqual(await boss.getBlob("s", fromWorker, { signal }), blob);
    const fromBoss = await boss.putBlob("s", blob.subarray(1));
    assert.deepEqual(await hand.getBlob("s", fromBoss, { signal }), blob.subarray(1));
    await boss.dropBlob("s", fromWorker);

    assert.equal(await isSetUp(observer), true);
    const queues = (await readQueues(observer))!;
    assert.deepEqual(
      [...(await readDepths(observer, queues)).values()],
      [{ waiting: 0, inFlight: 1 }],
    );
    assert.deepEqual(
      (await readSweeps(observer)).map(({ name }) => name),
      ["n"],
    );
    assert.deepEqual(
      (await readWorkers(observer)).map(({ name }) => name),
      ["w1"],
    );
    assert.deepEqual(
      (await readDeadLetters(observer)).map(({ reason }) => reason.message),
      ["no"],
    );

    assert.equal(await lease.complete(result(lease.task.id)), "stored");
    await hand.stop();
    await claim.end();
    await boss.cancel("s");
    await boss.stop();
    assert.doesNotMatch(server.log(), /Violation/);
  });
});

test("roles: a worker's open pull goes on after a restart of the server", async () => {
  await withRoles(async ({ coordinator, worker }) => {
    const boss = coordinatorTransport({ broker: coordinator, leaseMs });
    const hand = workerTransport({ broker: worker, policy, pullMs: 1_000 });
    await boss.publish(fieldTaskFixture("a"));
    await (await hand.lease(wanted())).complete(result("a"));
    const next = hand.lease(wanted());
    await until(async () => (await waitingPulls(coordinator)) === 1);
    await server.restart();
    await boss.publish(fieldTaskFixture("b"));
    let lease = await next;
    if (lease.task.id === "a") {
      await lease.complete(result("a")); // its acknowledgement may not have outlived the kill
      lease = await hand.lease(wanted());
    }
    assert.equal(lease.task.id, "b");
    assert.equal(await lease.complete(result("b")), "stored");
    await hand.stop();
    await boss.stop();
  });
});

test("roles: a task goes to the next worker at once when the one that waited for it has died", async () => {
  await withRoles(async ({ coordinator, worker }) => {
    const boss = coordinatorTransport({ broker: coordinator });
    await boss.open({ engine: "test.1", sweep: "s", priority: "normal" });
    const doomed = await server.connect("worker");
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.tasks}.test_1-s`;
    const reply = createInbox(INBOXES.worker);
    doomed.nc.subscribe(reply);
    doomed.nc.publish(subject, JSON.stringify({ batch: 1, expires: 60e9 }), { reply });
    await until(async () => (await waitingPulls(coordinator)) === 1);
    await doomed.close();
    const hand = workerTransport({ broker: worker, policy, pullMs: 200 });
    await boss.publish(fieldTaskFixture("a"));
    const lease = await hand.lease(wanted());
    assert.equal(lease.attempt, 1);
    await lease.complete(result("a"));
    await hand.stop();
    await boss.stop();
  });
});

test("roles: tasks are acknowledged also in the form with domain and account", async (t) => {
  const flags = "feature_flags { js_ack_fc_v2: true }";
  const other = await startSecuredServer({ config: flags }).catch((error: Error) => error);
  if (other instanceof Error) {
    assert.match(other.message, /feature_flags/);
    t.skip("needs nats-server 2.14 or later");
    return;
  }
  try {
    const coordinator = await other.connect("coordinator");
    const worker = await other.connect("worker");
    const boss = coordinatorTransport({ broker: coordinator, leaseMs });
    const hand = workerTransport({ broker: worker, policy, pullMs: 200 });
    for (const id of ["a", "b"]) await boss.publish(fieldTaskFixture(id));
    const lease = await hand.lease(wanted());
    await lease.complete(result(lease.task.id));
    const { reply = "" } = await worker.nc.request(
      `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.tasks}.test_1-s`,
      JSON.stringify({ batch: 1, no_wait: true }),
      { timeout: 5_000, noMux: true, reply: createInbox(INBOXES.worker) },
    );
    assert.match(reply, /^\$JS\.ACK\.[^.]+\.[^.]+\.FTLE_TASKS\.test_1-s\.1\./);
    await worker.nc.request(reply, "+ACK", { timeout: 5_000 });
    await until(async () => (await boss.depth("s")).inFlight === 0);
    await Promise.all([hand.stop(), boss.stop()]);
    await Promise.all([coordinator.close(), worker.close()]);
    assert.doesNotMatch(other.log(), /Violation/);
  } finally {
    await other.stop();
  }
});

/** What each role tries and must not do: publish (any request is one) or subscribe. */
const FORBIDDEN: readonly (readonly [Role, "publish" | "subscribe", string, string])[] = [
  ["worker", "publish", "ftle.task.test_1.s.x", "queue a task"],
  ["worker", "publish", "ftle.control.cancel.s", "cancel a sweep"],
  ["worker", "publish", "ftle.control.changed", "send workers to look for sweeps"],
  ["worker", "publish", "$KV.ftle_sweeps.queues", "change the list of queues"],
  ["worker", "publish", "$KV.ftle_sweeps.sweep.s", "claim a sweep"],
  ["worker", "publish", "$JS.API.STREAM.PURGE.FTLE_TASKS", "purge tasks"],
  ["worker", "publish", "$JS.API.STREAM.PURGE.FTLE_RESULTS", "purge results"],
  ["worker", "publish", "$JS.API.STREAM.PURGE.FTLE_BLOBS", "purge blobs"],
  ["worker", "publish", "$JS.API.STREAM.DELETE.FTLE_TASKS", "delete a stream"],
  ["worker", "publish", "$JS.API.STREAM.CREATE.FTLE_MINE", "create a stream"],
  ["worker", "publish", "$JS.API.STREAM.UPDATE.FTLE_RESULTS", "change a stream"],
  ["worker", "publish", "$JS.API.STREAM.INFO.FTLE_RESULTS", "look at a stream"],
  ["worker", "publish", "$JS.API.STREAM.NAMES", "list streams"],
  ["worker", "publish", "$JS.API.STREAM.MSG.DELETE.FTLE_RESULTS", "delete a result"],
  ["worker", "publish", "$JS.API.STREAM.MSG.GET.FTLE_RESULTS", "read a result"],
  ["worker", "publish", "$JS.API.DIRECT.GET.FTLE_RESULTS.ftle.result.s.a", "read another's result"],
  ["worker", "publish", "$JS.API.DIRECT.GET.FTLE_DEAD.ftle.dead.s.a", "read a dead letter"],
  ["worker", "publish", "$JS.API.DIRECT.GET.FTLE_TASKS.ftle.task.test_1.s.a", "peek at a task"],
  ["worker", "publish", "$JS.API.DIRECT.GET.FTLE_BLOBS", "read blobs by number"],
  [
    "worker",
    "publish",
    "$JS.API.DIRECT.GET.KV_ftle_sweeps.$KV.ftle_sweeps.sweep.s",
    "read who coordinates",
  ],
  ["worker", "publish", "$JS.API.CONSUMER.CREATE.FTLE_RESULTS", "follow results"],
  ["worker", "publish", "$JS.API.CONSUMER.CREATE.FTLE_TASKS.mine.ftle.task.>", "make a queue"],
  ["worker", "publish", "$JS.API.CONSUMER.DURABLE.CREATE.FTLE_TASKS.mine", "make a lasting queue"],
  ["worker", "publish", "$JS.API.CONSUMER.DELETE.FTLE_TASKS.test_1-s", "delete a queue"],
  ["worker", "publish", "$JS.API.CONSUMER.PAUSE.FTLE_TASKS.test_1-s", "pause a queue"],
  ["worker", "publish", "$JS.API.CONSUMER.MSG.NEXT.FTLE_RESULTS.mine", "take a result"],
  ["worker", "publish", "$JS.ACK.FTLE_RESULTS.mine.1.1.1.1.0", "acknowledge a result"],
  ["worker", "publish", `${INBOXES.coordinator}.x`, "answer the coordinator for the broker"],
  ["worker", "subscribe", `${INBOXES.coordinator}.>`, "hear the coordinator's answers"],
  ["worker", "subscribe", `${INBOXES.observer}.>`, "hear an observer's answers"],
  ["worker", "subscribe", "ftle.result.>", "hear results"],
  ["worker", "subscribe", "ftle.task.>", "hear tasks"],
  ["worker", "subscribe", ">", "hear everything"],
  ["observer", "publish", "ftle.task.test_1.s.x", "queue a task"],
  ["observer", "publish", "ftle.result.s.x", "hand in a result"],
  ["observer", "publish", "ftle.dead.s.x", "give a task up"],
  ["observer", "publish", "ftle.blob.s.x.0", "put a blob"],
  ["observer", "publish", "ftle.state.s.x", "write a checkpoint"],
  ["observer", "publish", "ftle.control.cancel.s", "cancel a sweep"],
  ["observer", "publish", "$KV.ftle_workers.w", "pass for a worker"],
  ["observer", "publish", "$KV.ftle_sweeps.queues", "change the list of queues"],
  ["observer", "publish", "$JS.API.STREAM.PURGE.FTLE_DEAD", "purge dead letters"],
  ["observer", "publish", "$JS.API.STREAM.DELETE.FTLE_DEAD", "delete a stream"],
  ["observer", "publish", "$JS.API.CONSUMER.CREATE.FTLE_DEAD", "make a consumer"],
  ["observer", "publish", "$JS.API.CONSUMER.DELETE.FTLE_TASKS.test_1-s", "delete a queue"],
  ["observer", "publish", "$JS.API.CONSUMER.MSG.NEXT.FTLE_TASKS.test_1-s", "take a task"],
  ["observer", "publish", "$JS.ACK.FTLE_TASKS.test_1-s.1.1.1.1.0", "acknowledge a task"],
  ["observer", "publish", "$JS.ACK._.hash.FTLE_TASKS.test_1-s.1.1.1.1.0", "acknowledge, new form"],
  ["observer", "publish", "$JS.API.DIRECT.GET.FTLE_RESULTS.ftle.result.s.a", "read a result"],
  ["observer", "publish", "$JS.API.DIRECT.GET.FTLE_BLOBS.ftle.blob.s.x.0", "read weights"],
  ["observer", "publish", "$JS.API.STREAM.INFO.FOREIGN", "look at a foreign stream"],
  ["observer", "subscribe", "ftle.>", "hear what is published"],
  ["observer", "subscribe", `${INBOXES.worker}.>`, "hear a worker's answers"],
  ["coordinator", "publish", "ftle.result.s.x", "hand in a result"],
  ["coordinator", "publish", "$JS.API.CONSUMER.MSG.NEXT.FTLE_TASKS.test_1-s", "take a task"],
  ["coordinator", "publish", "$JS.API.STREAM.CREATE.FOREIGN", "create a foreign stream"],
  ["coordinator", "publish", "$JS.API.STREAM.INFO.FOREIGN", "look at a foreign stream"],
  ["coordinator", "publish", "$JS.API.STREAM.PURGE.FOREIGN", "purge a foreign stream"],
  ["coordinator", "publish", "$JS.API.STREAM.DELETE.FOREIGN", "delete a foreign stream"],
  ["coordinator", "publish", "$JS.API.STREAM.DELETE.FTLE_TASKS", "delete a stream of ours"],
  ["coordinator", "publish", "$JS.API.STREAM.NAMES", "list streams"],
  ["coordinator", "publish", "$JS.API.CONSUMER.CREATE.FOREIGN.x.foreign.>", "follow a foreign one"],
  ["coordinator", "publish", "$JS.API.DIRECT.GET.FOREIGN.foreign.x", "read a foreign stream"],
  ["coordinator", "publish", "foreign.x", "publish elsewhere"],
  ["coordinator", "publish", "$KV.foreign.key", "write a foreign bucket"],
  ["coordinator", "publish", "$SYS.REQ.SERVER.PING", "ask the system account"],
  ["coordinator", "subscribe", `${INBOXES.worker}.>`, "hear a worker's answers"],
  ["coordinator", "subscribe", ">", "hear everything"],
];

test("roles: each is refused by the server what it must not do", async (t) => {
  await withRoles(async (brokers) => {
    await setup(brokers.coordinator);
    for (const [role, operation, subject, deed] of FORBIDDEN) {
      await t.test(`roles: a ${role} cannot ${deed} (${operation} ${subject})`, async () => {
        const refusal = await refusalOf(brokers[role].nc, operation, subject);
        assert.equal(refusal?.operation, operation === "publish" ? "publish" : "subscription");
        assert.equal(refusal?.subject, subject);
      });
    }
  });
});

/**
 * A server checks what a client asks, not where the client wants the answer. That roles are accounts keeps the
 * answer in the account of the asker.
 */
const ELSEWHERE: readonly (readonly [Role, string, string, string])[] = [
  ["worker", "pull", "$JS.API.STREAM.DELETE.FTLE_DEAD", "delete a stream"],
  ["worker", "pull", "$JS.API.STREAM.PURGE.FTLE_BLOBS", "purge blobs"],
  ["worker", "get", "$JS.API.STREAM.DELETE.FTLE_DEAD", "delete a stream"],
  ["worker", "get", "$JS.API.STREAM.CREATE.FTLE_MINE", "create a stream"],
  ["worker", "get", "ftle.task.test_1.s.x", "queue a task"],
  ["worker", "put", "ftle.task.test_1.s.x", "queue a task"],
  ["worker", "put", "$KV.ftle_sweeps.queues", "change the list of queues"],
  ["observer", "look", "$JS.API.STREAM.PURGE.FTLE_BLOBS", "purge blobs"],
  ["observer", "look", "$JS.API.STREAM.DELETE.FTLE_DEAD", "delete a stream"],
  ["observer", "look", "ftle.task.test_1.s.x", "queue a task"],
];

test("roles: an answer sent elsewhere changes nothing", async (t) => {
  await withRoles(async (brokers) => {
    const { coordinator, worker } = brokers;
    const boss = coordinatorTransport({ broker: coordinator });
    await boss.open({ engine: "test.1", sweep: "s", priority: "normal" });
    const evil = { name: "FTLE_MINE", subjects: ["mine.>"], retention: "limits", storage: "file" };
    await worker.js.publish("ftle.blob.s.evil.0", JSON.stringify(evil));
    const requests: Record<string, { subject: string; payload: string }> = {
      pull: {
        subject: "$JS.API.CONSUMER.MSG.NEXT.FTLE_TASKS.test_1-s",
        payload: '{"batch":1,"no_wait":true}', // answered with nothing but a header
      },
      get: { subject: "$JS.API.DIRECT.GET.FTLE_BLOBS.ftle.blob.s.evil.0", payload: "" },
      look: { subject: "$JS.API.DIRECT.GET.FTLE_DEAD.ftle.dead.s.none", payload: "" },
      put: { subject: "ftle.state.s.evil", payload: "x" },
    };
    const before = await contents(coordinator);
    for (const [role, what, reply, deed] of ELSEWHERE) {
      await t.test(
        `roles: a ${role} cannot ${deed} by an answer to ${reply} (${what})`,
        async () => {
          const { nc } = brokers[role];
          const { subject, payload } = requests[what]!;
          nc.publish(subject, payload, { reply });
          // Asked on one connection, answered in order.
          await nc.request(subject, payload, { timeout: 5_000 });
          assert.deepEqual(await contents(coordinator), before);
        },
      );
    }
    await boss.stop();
  });
});

test("keys: a key of another authority's making, no key, and a user with a password are refused", async () => {
  const other = join(server.folder, "other");
  await makeKeys("--out", other);
  const { url, ca: tlsCa } = server;
  const foreign = { url, tlsCa, credentials: join(other, "coordinator.nk") };
  await assert.rejects(connectBroker(foreign), {
    name: "BrokerError",
    message: /refused us: .*key/,
  });
  await assert.rejects(connectBroker({ url, tlsCa }), {
    name: "BrokerError",
    message: /refused us: it requires a user or a key, and none was given/,
  });
  const withUser = url.replace("//", "//root:toor@");
  await assert.rejects(connectBroker({ url: withUser, tlsCa }), (error: Error) => {
    assert.match(error.message, /refused us/);
    assert.doesNotMatch(error.message, /toor/);
    return true;
  });
});

test("keys: a broker that another authority vouches for is refused", async () => {
  const other = join(server.folder, "others-keys");
  await makeKeys("--out", other);
  const { url } = server;
  const credentials = server.key("worker");
  const unknown = /expected the certificate of the broker .* --nats-ca/;
  for (const tlsCa of [undefined, join(other, "ca.pem")]) {
    await assert.rejects(connectBroker({ url, credentials, tlsCa }), {
      name: "BrokerError",
      message: unknown,
    });
  }
});

test("keys: a role with another role's key is told so, and does not wait for ever", async () => {
  const { url, ca: tlsCa } = server;
  const mixed = { url, tlsCa, credentials: server.key("observer"), inboxPrefix: INBOXES.worker };
  await assert.rejects(connectBroker(mixed), {
    name: "BrokerError",
    message:
      /does not permit us to receive replies on _INBOX_worker\.>.* expected the key of the role/,
  });
});

test("keys: a file that others may read, or that holds no whole key, is refused, and never quoted", async () => {
  const { url, ca: tlsCa } = server;
  const seed = (await readFile(server.key("worker"), "utf8")).trim();
  const refuses = async (text: string, mode: number, message: RegExp) => {
    const credentials = join(server.folder, "copy.nk");
    await writeFile(credentials, text, { mode: 0o600 });
    await chmod(credentials, mode);
    await assert.rejects(connectBroker({ url, tlsCa, credentials }), (error: Error) => {
      assert.equal(error.name, "UsageError");
      assert.match(error.message, message);
      for (let e: unknown = error; e instanceof Error; e = e.cause) {
        assert.ok(!`${e.message} ${e.stack}`.includes(seed.slice(2, -2)), "quotes the seed");
      }
      return true;
    });
  };
  await refuses(seed, 0o644, /0600.*found 0644; do: chmod 600/);
  await refuses(seed, 0o640, /0600.*found 0640/);
  // Of the last letter only three bits count: another there may be the same seed.
  const wrong = `${seed.slice(0, -3)}${seed.at(-3) === "A" ? "B" : "A"}${seed.slice(-2)}`;
  await refuses(wrong, 0o600, /to hold an nkey seed of a user/);
  await refuses(seed.slice(0, -3), 0o600, /to hold an nkey seed of a user/);
  const jwt = "-----BEGIN NATS USER JWT-----\nnone\n------END NATS USER JWT------\n";
  await refuses(`${jwt}${seed}`, 0o600, /to hold .* credentials/);
});

test("make-keys: keys that are there are left alone unless told otherwise", async () => {
  const out = join(server.folder, "again");
  await makeKeys("--out", out);
  const before = await everything(out);
  await assert.rejects(makeKeys("--out", out), /expected no keys in .*again, found .*worker\.nk/s);
  assert.deepEqual(await everything(out), before);
  await makeKeys("--out", out, "--replace");
  assert.notDeepEqual(await everything(out), before);
  await copyFile(server.ca, join(out, "thesis.tex"));
  await assert.rejects(
    makeKeys("--out", out, "--replace"),
    /found thesis\.tex; nothing was changed/,
  );
});

test("make-keys: seeds and private keys are readable by their owner alone", async () => {
  const folder = join(server.folder, "keys");
  const secret = (await readdir(folder)).filter((file) => /\.nk$|-key\.pem$/.test(file));
  assert.equal(secret.length, 5);
  for (const file of secret) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
  }
});

test("make-keys: what is asked wrongly is refused with a word on what is expected", async () => {
  const out = join(server.folder, "none");
  await assert.rejects(
    makeKeys("--out", out, "--add", "worker"),
    /expected keys in .*none, found none/,
  );
  await assert.rejects(makeKeys("--out", out, "--add", "king"), /expected a role, coordinator/);
  await assert.rejects(
    makeKeys("--out", out, "a b"),
    /expected names or addresses of hosts, got a b/,
  );
  await assert.rejects(makeKeys("--out", out, "--days", "0"), /expected --days/);
  await assert.rejects(makeKeys("--out", out, "--renew"), /expected the authority's ca-key\.pem/);
});

test("rotation: a key that is added opens after a reload, one taken away no more, and who had it is told", async () => {
  const rotated = await startSecuredServer();
  try {
    const keys = join(rotated.folder, "keys");
    const withOld = await rotated.connect("worker");
    await makeKeys("--out", keys, "--add", "worker");
    const credentials = rotated.key("worker-2");
    const { url, ca: tlsCa } = rotated;
    const withNew = () =>
      connectBroker({ url, tlsCa, credentials, inboxPrefix: INBOXES.worker }, { waitMs: 500 });
    await assert.rejects(withNew(), /refused us/);
    rotated.reload();
    const broker = await eventually(withNew);
    assert.equal(withOld.closed.aborted, false);

    const list = join(keys, "users.conf");
    const text = await readFile(list, "utf8");
    await writeFile(list, text.replace(/^.*# worker\.nk\n/m, ""));
    rotated.reload();
    await until(async () => withOld.closed.aborted);
    assert.match(
      (withOld.closed.reason as Error).message,
      /is closed: .*refused us: .*no longer valid/,
    );
    await assert.rejects(rotated.connect("worker", { waitMs: 500 }), /refused us/);
    await broker.nc.flush();
    await broker.close();
    const observer = await rotated.connect("observer");
    assert.equal(await isSetUp(observer), false);
    await observer.close();
  } finally {
    await rotated.stop();
  }
});

test("rotation: a renewed certificate is shown after a reload", async () => {
  const rotated = await startSecuredServer();
  try {
    assert.doesNotMatch(await namesShown(rotated), /another/);
    await makeKeys("--out", join(rotated.folder, "keys"), "--renew", "another.example.org");
    rotated.reload();
    await until(async () => /DNS:another\.example\.org/.test(await namesShown(rotated)));
    await (await rotated.connect("worker")).close();
  } finally {
    await rotated.stop();
  }
});

type Brokers = Record<Role, Broker>;

async function withRoles(body: (brokers: Brokers) => Promise<void>): Promise<void> {
  const brokers: Brokers = {
    coordinator: await server.connect("coordinator"),
    worker: await server.connect("worker"),
    observer: await server.connect("observer"),
  };
  try {
    await body(brokers);
  } finally {
    await coordinatorTransport({ broker: brokers.coordinator }).cancel("s");
    await Promise.all(Object.values(brokers).map((broker) => broker.close()));
  }
}

/** How the server refuses; null if it does not. */
async function refusalOf(
  nc: NatsConnection,
  operation: "publish" | "subscribe",
  subject: string,
): Promise<PermissionViolationError | null> {
  let refusal: unknown = null;
  if (operation === "publish") {
    await nc.request(subject, "", { timeout: 5_000 }).catch((error: Error) => {
      refusal = error.cause ?? error;
    });
  } else {
    const subscription = nc.subscribe(subject, {
      callback: (error) => {
        refusal ??= error;
      },
    });
    await nc.flush();
    subscription.unsubscribe();
  }
  return refusal instanceof PermissionViolationError ? refusal : null;
}

/** The names in the certificate that the server shows. */
async function namesShown({ port, ca }: SecuredServer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "data"); // its greeting comes before TLS
  const secured = connectTls({ socket, ca: await readFile(ca) });
  await once(secured, "secureConnect");
  const { subjectaltname = "" } = secured.getPeerCertificate();
  secured.destroy();
  return subjectaltname;
}

/** Each stream with its messages. */
async function contents(broker: Broker): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const names = [...Object.values(STREAMS), "KV_ftle_sweeps"].filter(
    (name) => name !== STREAMS.state,
  );
  for (const name of names) counts[name] = (await broker.jsm.streams.info(name)).state.messages;
  const monitor = await fetch(`${server.monitorUrl}/jsz?streams=true`);
  counts.streams = ((await monitor.json()) as { streams: number }).streams;
  return counts;
}

async function waitingPulls({ jsm }: Broker): Promise<number> {
  const info = await jsm.consumers.info(STREAMS.tasks, "test_1-s");
  return info.num_waiting;
}

async function everything(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const file of await readdir(folder)) all[file] = await readFile(join(folder, file), "utf8");
  return all;
}

function wanted() {
  return { worker: "w1", engine: "test.1", signal: deadline() };
}

function result(id: string): TaskResult {
  const field = new Float32Array(1);
  const provenance = { worker: "w1", engine: "test.1", version: "0", attempt: 1, seconds: 0 };
  const fields = { lambda1: field, direction: field, output: field };
  return { kind: "field", task: id, cell: "c", ...fields, provenance };
}

function deadline(): AbortSignal {
  return AbortSignal.timeout(60_000);
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const signal = deadline();
  while (!(await condition())) {
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What an action gives once it does not fail any more. */
async function eventually<T>(action: () => Promise<T>): Promise<T> {
  const signal = deadline();
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (signal.aborted) throw error;
    }
  }
}
