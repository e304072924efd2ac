import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { CellPhysics, Snapshot } from "../../shared/cell.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Schedule } from "../../shared/numerics/schedule.ts";
import type { Optimizer } from "../../shared/numerics/training.ts";
import { encodeWeights } from "../../shared/safetensors.ts";
import { trainingWork } from "../../shared/work.ts";
import type { Engine } from "../engines/engine.ts";
import { loadNative } from "../engines/native.ts";
import { referenceEngine } from "../engines/reference.ts";
import type { Checkpoint } from "../tasks/checkpoint.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../tasks/checkpoint.ts";
import { progressOver } from "../tasks/progress.ts";
import type { Trained, TrainOptions } from "../tasks/train.ts";
import { train } from "../tasks/train.ts";
import { smallCell } from "../testing/cells.ts";
import { observedEngine } from "../testing/observed-engine.ts";

const native = loadNative();
if ("missing" in native) throw new Error(native.missing);
const engines = [referenceEngine, native.engine];

class CrashError extends Error {}

interface Interruption {
  /** `stop`: the thread is asked to stop, and saves; `crash`: it is gone. */
  readonly kind: "stop" | "crash";
  /** After so many slices. */
  readonly slices: number;
}

/** Trains with interruptions, each attempt from the bytes that were saved last, and counts slices. */
function trainInParts(
  { physics, engine }: { physics: CellPhysics; engine: Engine },
  interruptions: readonly Interruption[],
  options: TrainOptions = {},
) {
  const training = { physics, engine };
  let saved: Uint8Array | null = null;
  let slices = 0;
  let resumed = 0;
  const attempt = (interruption: Interruption | null) => {
    const progress = progressOver();
    const observed = observedEngine(engine, (slice) => {
      slices++;
      if (slice !== interruption?.slices) return;
      if (interruption.kind === "crash") throw new CrashError();
      progress.stop();
    });
    const resume = saved && decodeCheckpoint(saved, training);
    if (resume !== null) resumed++;
    const save = (checkpoint: Checkpoint) => {
      saved = encodeCheckpoint(checkpoint, training);
    };
    return train(physics, observed, { progress, resume, save, ...options });
  };
  for (const interruption of interruptions) {
    try {
      return { trained: attempt(interruption), slices, resumed };
    } catch (error) {
      const isMeant = error instanceof CrashError || (error as Error).name === "StoppedError";
      if (!isMeant) throw error;
    }
  }
  return { trained: attempt(null), slices, resumed };
}

/** Equal for equal bytes only. */
function digests({ status, reason, epochs, history, snapshots }: Trained) {
  const series = Object.entries(history).map(([name, values]) => {
    return [name, Buffer.from(Float64Array.from(values).buffer).toString("hex")];
  });
  const taken = snapshots.map(({ snapshot, epoch, weights }) => {
    return [snapshot, epoch, digestOf(encodeWeights(weights, {}))];
  });
  return { status, reason, epochs, series, taken };
}

/** The engine with slices of so many batches. */
function sliced(engine: Engine, { network, training }: CellPhysics, batches: number): Engine {
  const batchWork = trainingWork(network, 1, { train: training.batch, test: 0 });
  return { ...engine, callWork: batches * batchWork };
}

const optimizers: readonly Optimizer[] = [
  { name: "sgd", learningRate: 0.05, momentum: 0 },
  { name: "sgd", learningRate: 0.05, momentum: 0.9 },
  { name: "adam", learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  { name: "rmsprop", learningRate: 0.01, decay: 0.99, epsilon: 1e-8 },
];

const schedules: readonly Schedule[] = [
  { name: "constant", warmup: 1.3 },
  { name: "cosine", to: 0.1, warmup: 0 },
  { name: "cosine", to: 0, warmup: 2 },
  { name: "step", every: 2, factor: 0.3, warmup: 0.5 },
  { name: "exponential", factor: 0.6, warmup: 0 },
];

const snapshots = fc.subarray<Snapshot>([0, 1, 2, 3, 7, "end"], { minLength: 1 });

function cells(engine: Engine) {
  const training = fc.record({
    optimizer: fc.constantFrom(...optimizers),
    batch: fc.integer({ min: 1, max: 12 }),
    epochs: fc.integer({ min: 0, max: 5 }),
    weightDecay: fc.constantFrom(0, 0.01),
    freeze: fc.constantFrom("none" as const, "hidden" as const),
    stopAtAccuracy: fc.constantFrom(null, 0.55, 0.7),
    snapshots,
  });
  const schedule = fc.option(fc.constantFrom(...schedules), { nil: null });
  return fc
    .record({
      hidden: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 }),
      seed: fc.nat(9),
      samples: fc.integer({ min: 20, max: 60 }),
      training,
      schedule,
      batchesASlice: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ hidden, batchesASlice, schedule, ...given }) => {
      const training = { ...given.training, ...(schedule === null ? {} : { schedule }) };
      const parts = { ...given, training };
      const network = { ...smallCell().network, hidden };
      const physics = smallCell({ ...parts, network, engine: engine.id });
      return { physics, engine: sliced(engine, physics, batchesASlice) };
    });
}

/** Some interruptions of a training: the next comes after so many slices more. */
const interruptions = (kind: Interruption["kind"]) => {
  const slices = fc.integer({ min: 1, max: 8 });
  return fc.array(fc.record({ kind: fc.constant(kind), slices }), { minLength: 1, maxLength: 6 });
};

for (const engine of engines) {
  const settings = { seed: 21, numRuns: 150 };

  test(`${engine.id}: a training stopped and resumed gives the same bytes and does no slice twice`, () => {
    let resumptions = 0;
    const agree = fc.property(cells(engine), interruptions("stop"), (cell, stops) => {
      const whole = trainInParts(cell, []);
      // Every stop is worth saving: a look takes ten seconds, and is never time for the next checkpoint.
      const options = { now: clock(10_000), everyMs: Number.POSITIVE_INFINITY };
      const parts = trainInParts(cell, stops, options);
      resumptions += parts.resumed;
      assert.deepEqual(digests(parts.trained), digests(whole.trained));
      assert.equal(parts.slices, whole.slices);
    });
    fc.assert(agree, settings);
    assert.ok(resumptions > 150, `${resumptions} resumptions`);
  });

  test(`${engine.id}: a training that was killed goes on from its last checkpoint, with the same bytes`, () => {
    let resumptions = 0;
    const agree = fc.property(cells(engine), interruptions("crash"), (cell, crashes) => {
      const whole = trainInParts(cell, []);
      // At every third look or so there is a checkpoint.
      const parts = trainInParts(cell, crashes, { now: clock(10_000), everyMs: 25_000 });
      resumptions += parts.resumed;
      assert.deepEqual(digests(parts.trained), digests(whole.trained));
    });
    fc.assert(agree, settings);
    assert.ok(resumptions > 100, `${resumptions} resumptions`);
  });

  for (const activation of ["relu", "tanh"] as const) {
    test(`${engine.id}: one that diverges with ${activation} does so in the same way after an interruption`, () => {
      const outputActivation = activation === "relu" ? "linear" : "tanh";
      const hidden = [7, 5, 3];
      const network = { ...smallCell().network, hidden, activation, outputActivation } as const;
      const learningRate = activation === "relu" ? 1e6 : 100;
      const optimizer = { name: "sgd", learningRate, momentum: 0.5 } as const;
      const training = { optimizer, epochs: 8 };
      const physics = smallCell({ network, engine: engine.id, training });
      const cell = { physics, engine: sliced(engine, physics, 1) };
      const whole = trainInParts(cell, []);
      assert.match(whole.trained.reason, activation === "relu" ? /not finite/ : /grew/);
      for (let slices = 1; slices <= whole.slices; slices++) {
        const options = { now: clock(10_000), everyMs: Number.POSITIVE_INFINITY };
        const parts = trainInParts(cell, [{ kind: "stop", slices }], options);
        assert.deepEqual(digests(parts.trained), digests(whole.trained));
        assert.equal(parts.resumed, 1);
      }
    });
  }

  test(`${engine.id}: how work is cut into calls changes neither weights nor test losses`, () => {
    const physics = smallCell({ engine: engine.id });
    const [fine, coarse] = [1, 1e12].map((callWork) => {
      return digests(train(physics, { ...engine, callWork }, { progress: progressOver() }));
    });
    assert.deepEqual(fine!.taken, coarse!.taken);
    for (const series of [1, 2, 3]) assert.deepEqual(fine!.series[series], coarse!.series[series]);
  });
}

/** A clock on which so much passes from one look to the next. */
function clock(lookMs: number): () => number {
  let now = 0;
  return () => {
    now += lookMs;
    return now;
  };
}

const physics = smallCell();
const training = { physics, engine: sliced(referenceEngine, physics, 2) };

/** Every checkpoint of a training. */
function checkpoints(of = training): Uint8Array[] {
  const saved: Uint8Array[] = [];
  const save = (checkpoint: Checkpoint) => saved.push(encodeCheckpoint(checkpoint, of));
  train(of.physics, of.engine, { progress: progressOver(), save, everyMs: 0 });
  return saved;
}

test("checkpoint: at the start of every slice and before every evaluation, when no time may pass", () => {
  const places = checkpoints().map((bytes) => {
    const { epochs, from } = decodeCheckpoint(bytes, training)!;
    return [epochs, from];
  });
  // 12 test samples are one call.
  assert.deepEqual(places, [
    ...[0, 16, 32, 48].map((from) => [0, from]),
    ...[0, 16, 32, 48].map((from) => [1, from]),
  ]);
});

test("checkpoint: one is saved whenever the time between them has passed, and not before", () => {
  const saves = (everyMs: number, lookMs: number) => {
    let count = 0;
    const save = () => count++;
    train(physics, training.engine, {
      progress: progressOver(),
      save,
      everyMs,
      now: clock(lookMs),
    });
    return count;
  };
  assert.equal(saves(1_000, 100), 0);
  assert.equal(saves(1_000, 400), 2);
  assert.equal(saves(1_000, 1_000), 8);
});

test("checkpoint: a training stopped at once saves nothing, and one of seconds does", () => {
  for (const [lookMs, isSaved] of [
    [100, false],
    [2_000, true],
  ] as const) {
    const progress = progressOver();
    let saved = 0;
    const options = { save: () => saved++, everyMs: 30_000, now: clock(lookMs) };
    const stopping = observedEngine(training.engine, () => progress.stop());
    assert.throws(() => train(physics, stopping, { progress, ...options }), {
      name: "StoppedError",
    });
    assert.equal(saved, isSaved ? 1 : 0);
  }
});

test("checkpoint: a call is waited for, unless one batch is longer than ten of them", () => {
  const batchWork = sliced(referenceEngine, physics, 1).callWork;
  for (const [callWork, isEnded] of [
    [batchWork / 9, false],
    [batchWork / 11, true],
  ] as const) {
    const progress = progressOver();
    let given: Int32Array | undefined;
    const engine: Engine = {
      ...referenceEngine,
      callWork,
      load(network, weights, stop) {
        given = stop;
        return referenceEngine.load(network, weights);
      },
    };
    train(physics, engine, { progress });
    assert.equal(given, isEnded ? progress.stopFlag : undefined);
  }
});

for (const engine of engines) {
  test(`checkpoint: bytes of ${engine.id} keep every bit, also of NaN, infinities and −0`, () => {
    const of = { physics: smallCell({ engine: engine.id }), engine };
    const original = decodeCheckpoint(checkpoints(of).at(-1)!, of)!;
    const moments = original.state.moments[0]!.weight[0]!;
    const { weight } = original.weights[0]!;
    // Numbers of float32, but for the last bits of a NaN.
    moments.set([Number.NaN, Infinity, -Infinity, -0, 2 ** -149, 0.5]);
    weight.set([Number.NaN, Infinity, -Infinity, -0, 2 ** -149, 0.5]);
    for (const { buffer } of [moments, weight]) new Uint8Array(buffer)[0] = 0x12;
    original.history.trainLoss[0] = Number.POSITIVE_INFINITY;
    original.history.testLoss[0] = Number.NaN;
    const given = { ...original, lossSum: Number.NEGATIVE_INFINITY };
    const kept = decodeCheckpoint(encodeCheckpoint(given, of), of)!;
    assert.deepEqual(kept, given);
    const arrays = [kept.state.moments[0]!.weight[0]!, kept.weights[0]!.weight];
    assert.deepEqual(
      arrays.map(({ buffer }) => Buffer.from(buffer)),
      [moments, weight].map(({ buffer }) => Buffer.from(buffer)),
    );
  });
}

test("checkpoint: cut anywhere, or with anything behind it, it is ignored", () => {
  const [bytes] = checkpoints();
  for (let length = 0; length < bytes!.length; length++) {
    assert.equal(decodeCheckpoint(bytes!.subarray(0, length), training), null);
  }
  assert.equal(decodeCheckpoint(Buffer.concat([bytes!, new Uint8Array(8)]), training), null);
});

test("checkpoint: with one flipped bit it is ignored, whichever it is", () => {
  const [, bytes] = checkpoints();
  for (let bit = 0; bit < 8 * bytes!.length; bit += 7) {
    const damaged = bytes!.slice();
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(decodeCheckpoint(damaged, training), null, `bit ${bit}`);
  }
});

test("checkpoint: one of another cell, engine or slicing is ignored", () => {
  const [bytes] = checkpoints();
  assert.notEqual(decodeCheckpoint(bytes!, training), null);
  const { engine } = training;
  for (const other of [
    { physics: smallCell({ seed: 4 }), engine },
    { physics: smallCell({ training: { epochs: 3 } }), engine },
    { physics, engine: { ...engine, id: "reference-f64.2" } },
    { physics, engine: { ...engine, callWork: engine.callWork * 2 } },
  ]) {
    assert.equal(decodeCheckpoint(bytes!, other), null);
  }
});

test("checkpoint: bytes at any offset of a buffer are read, as a message brings them", () => {
  const bytes = checkpoints().at(-1)!;
  const message = new Uint8Array(bytes.length + 3);
  message.set(bytes, 3);
  const expected = decodeCheckpoint(bytes, training);
  assert.deepEqual(decodeCheckpoint(message.subarray(3), training), expected);
});

test("checkpoint: moments of a float32 engine take half the bytes, and come back in float64", () => {
  const { engine } = native;
  const of = { physics: smallCell({ engine: engine.id }), engine };
  const bytes = checkpoints(of).at(-1)!;
  const { state, weights } = decodeCheckpoint(bytes, of)!;
  assert.ok(state.moments[0]!.weight[0] instanceof Float64Array);
  assert.ok(weights[0]!.weight instanceof Float32Array);
  assert.ok(bytes.length < 0.7 * checkpoints().at(-1)!.length);
});
