import assert from "node:assert/strict";
import { test } from "node:test";
import { cellId } from "../../shared/identity.ts";
import type { TrainResult, TrainTask } from "../../shared/messages.ts";
import { MESSAGE_VERSION } from "../../shared/messages.ts";
import { moduleFile } from "../../shared/testing/repository.ts";
import { localTransport } from "../../shared/transport/local.ts";
import type { Lease, Transport } from "../../shared/transport/transport.ts";
import { referenceEngine } from "../engines/reference.ts";
import { createEngine } from "../engines/registry.ts";
import { decodeCheckpoint } from "../tasks/checkpoint.ts";
import { progressOver } from "../tasks/progress.ts";
import { smallCell } from "../testing/cells.ts";
import { observedEngine } from "../testing/observed-engine.ts";
import runTask from "../thread.ts";
import type { WorkerOptions } from "../worker.ts";
import { startWorker } from "../worker.ts";
import { INTERRUPTED_AFTER, INTERRUPTIONS, WAITING } from "./threads/interrupted.ts";

const policy = { leaseMs: 30_000, maxDeliveries: 3, backoffMs: () => 0 };

/** Two epochs of 6 batches, a slice each. */
const SLICES = 12;

function trainTask(seed: number): TrainTask {
  const physics = smallCell({ seed, network: { ...smallCell().network, hidden: [10, 10] } });
  const cell = cellId(physics);
  const { engine } = physics;
  return {
    version: MESSAGE_VERSION,
    id: `train-${cell}`,
    sweep: "s",
    engine,
    cell,
    work: 1,
    kind: "train",
    physics,
  };
}

function workerOn(transport: Transport, name: string, options: Partial<WorkerOptions> = {}) {
  return startWorker({
    transport,
    name,
    engine: trainTask(0).engine,
    threads: 1,
    extendEveryMs: 5,
    checkpointEveryMs: 0,
    threadFile: moduleFile("worker/test/threads/interrupted"),
    ...options,
  });
}

const deadline = () => AbortSignal.timeout(30_000);

async function resultFrom(transport: Transport): Promise<TrainResult> {
  for await (const outcome of transport.outcomes("s", { signal: deadline() })) {
    assert.ok(outcome.kind === "result" && outcome.result.kind === "train");
    return outcome.result;
  }
  throw new Error("no outcome came");
}

async function untilWaiting(transport: Transport): Promise<void> {
  const signal = deadline();
  while ((await transport.running("s"))[0]?.progress !== WAITING) {
    signal.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The result of a worker that nobody interrupts and that saves nothing. */
async function uninterrupted(seed: number): Promise<TrainResult> {
  const transport = localTransport({ policy });
  // With a checkpoint that is none, no delivery is the first.
  const worker = workerOn(
    withLeases(transport, { checkpoint: async () => new Uint8Array(1) }),
    "u",
    {
      checkpointEveryMs: 1e9,
    },
  );
  try {
    await transport.publish(trainTask(seed));
    const result = await resultFrom(transport);
    assert.equal(result.provenance.seconds, SLICES);
    return result;
  } finally {
    await worker.stop();
    await transport.stop();
  }
}

/** All that must be the same; the weights are known by the digest of their bytes. */
function lasting({ provenance: _, ...rest }: TrainResult) {
  return rest;
}

/** The transport with some of its leases' functions replaced. */
function withLeases(
  transport: Transport,
  changes: Partial<Lease> | ((lease: Lease) => Partial<Lease>),
): Transport {
  return {
    ...transport,
    async lease(options) {
      const lease = await transport.lease(options);
      return { ...lease, ...(typeof changes === "function" ? changes(lease) : changes) };
    },
  };
}

for (const kind of ["hold", "hang"] as const) {
  // Who hangs has saved what was before its last slice.
  const saved = kind === "hold" ? INTERRUPTED_AFTER : INTERRUPTED_AFTER - 1;

  test(`worker: another goes on where one was stopped that does ${kind}, with the same result`, async () => {
    const transport = localTransport({ policy });
    const first = workerOn(transport, "first");
    await transport.publish(trainTask(INTERRUPTIONS[kind]));
    await untilWaiting(transport);
    await first.stop(0);
    assert.deepEqual(await transport.depth("s"), { waiting: 1, inFlight: 0 });
    const second = workerOn(transport, "second");
    try {
      const result = await resultFrom(transport);
      assert.equal(result.provenance.worker, "second");
      assert.equal(result.provenance.attempt, 1);
      assert.equal(result.provenance.seconds, SLICES - saved);
      assert.deepEqual(lasting(result), lasting(await uninterrupted(INTERRUPTIONS[kind])));
    } finally {
      await second.stop();
      await transport.stop();
    }
  });
}

test("worker: a training whose thread ends goes on from its last checkpoint", async () => {
  const transport = localTransport({ policy });
  const worker = workerOn(transport, "w");
  try {
    await transport.publish(trainTask(INTERRUPTIONS.exit));
    const result = await resultFrom(transport);
    assert.equal(result.provenance.attempt, 2);
    assert.equal(result.provenance.seconds, SLICES - (INTERRUPTED_AFTER - 1));
    assert.deepEqual(lasting(result), lasting(await uninterrupted(INTERRUPTIONS.exit)));
  } finally {
    await worker.stop();
    await transport.stop();
  }
});

test("thread: the checkpoint of a stopped training comes with the reply", () => {
  const progress = progressOver();
  const { buffer } = progress;
  const checkpoints = { run: 1, saved: null, everyMs: 0 };
  const task = trainTask(0);
  let engine = referenceEngine;
  const reply = runTask({ task, weights: null, progress: buffer, checkpoints }, (id) => {
    engine = { ...createEngine(id), callWork: 1e3 };
    return observedEngine(engine, () => progress.stop());
  });
  assert.ok(reply.kind === "error");
  assert.equal(reply.error.name, "StoppedError");
  const { from } = decodeCheckpoint(reply.checkpoint!, { physics: task.physics, engine })!;
  assert.equal(from, task.physics.training.batch);
});

test("worker: a task goes back after its last checkpoint has been saved", async () => {
  const transport = localTransport({ policy });
  const calls: string[] = [];
  const slow = withLeases(transport, (lease) => ({
    async saveCheckpoint(bytes) {
      calls.push("save");
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      await lease.saveCheckpoint(bytes);
      calls.push("saved");
    },
    async giveBack() {
      calls.push("given back");
      await lease.giveBack();
    },
  }));
  const worker = workerOn(slow, "w");
  await transport.publish(trainTask(INTERRUPTIONS.hold));
  await untilWaiting(transport);
  await worker.stop(0);
  await transport.stop();
  assert.equal(calls.at(-1), "given back");
  assert.equal(calls.at(-2), "saved");
  // Never two at a time.
  assert.ok(calls.slice(0, -1).every((call, i) => call === (i % 2 === 0 ? "save" : "saved")));
});

test("worker: a training does without checkpoints that can be neither read nor saved", async () => {
  const transport = localTransport({ policy });
  const fail = async () => {
    throw new Error("the broker has no room");
  };
  const worker = workerOn(withLeases(transport, { checkpoint: fail, saveCheckpoint: fail }), "w");
  try {
    await transport.publish(trainTask(INTERRUPTIONS.none));
    const result = await resultFrom(transport);
    assert.equal(result.provenance.seconds, SLICES);
    assert.deepEqual(lasting(result), lasting(await uninterrupted(INTERRUPTIONS.none)));
  } finally {
    await worker.stop();
    await transport.stop();
  }
});

test("worker: no checkpoint is saved when a training is shorter than the time between them", async () => {
  const transport = localTransport({ policy });
  let saves = 0;
  const saveCheckpoint = async () => {
    saves++;
  };
  const worker = workerOn(withLeases(transport, { saveCheckpoint }), "w", {
    checkpointEveryMs: 1e9,
  });
  try {
    await transport.publish(trainTask(INTERRUPTIONS.none));
    await resultFrom(transport);
    assert.equal(saves, 0);
  } finally {
    await worker.stop();
    await transport.stop();
  }
});
