/** A training between two slices, and its bytes: what another worker needs to go on from there. */
import { createHash } from "node:crypto";
import type { CellPhysics, Snapshot } from "../../shared/cell.ts";
import { cellId } from "../../shared/identity.ts";
import type { History } from "../../shared/messages.ts";
import type { FloatArray, NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { layerWidths } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { OptimizerState } from "../../shared/numerics/training.ts";
import type { Engine } from "../engines/engine.ts";

/** How far a training is: all of it but the weights, which the engine holds. */
export interface Course {
  /** Epochs done. */
  epochs: number;
  /** Samples that the epoch under way has trained on: whole slices. */
  from: number;
  /** Sums over those samples. */
  lossSum: number;
  correct: number;
  /** Of the epochs done, and of the test before the first. */
  readonly history: History;
  /** Those of the epochs done, in the order of `training.snapshots`. */
  readonly snapshots: TakenSnapshot[];
  readonly state: OptimizerState;
}

export interface TakenSnapshot {
  readonly snapshot: Snapshot;
  readonly epoch: number;
  readonly weights: Weights;
}

export interface Checkpoint extends Readonly<Course> {
  /** In the engine's own precision. */
  readonly weights: Weights;
}

/** Which training a checkpoint is of. */
export interface TrainingOf {
  readonly physics: CellPhysics;
  readonly engine: Pick<Engine, "id" | "callWork">;
}

/** Names the format; changes with it. */
const MAGIC = Buffer.from("ftle-cp1");
const DIGEST_BYTES = 32;

/**
 * `MAGIC`, the SHA-256 of all that follows, the header's length (uint32), the header (JSON), and the arrays of
 * `arraysOf` one after another. Little-endian. Every bit of every number is kept.
 */
export function encodeCheckpoint(
  checkpoint: Checkpoint,
  training: TrainingOf,
): Uint8Array<ArrayBuffer> {
  const parts = partsOf(checkpoint);
  const header: Header = {
    ...identityOf(training),
    epochs: checkpoint.epochs,
    from: checkpoint.from,
    step: checkpoint.state.step,
    weights: precisionOf(parts.weights.map(({ weight }) => weight)),
    moments: precisionOf(momentArrays(parts.state)),
  };
  const head = Buffer.from(JSON.stringify(header));
  const arrays = arraysOf(parts);
  const start = MAGIC.length + DIGEST_BYTES;
  const bytes = new Uint8Array(start + 4 + head.length + byteCount(arrays));
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(start, head.length, true);
  bytes.set(head, start + 4);
  let at = start + 4 + head.length;
  for (const array of arrays) {
    bytes.set(bytesOf(array), at);
    at += array.byteLength;
  }
  bytes.set(sha256(bytes.subarray(start)), MAGIC.length);
  return bytes;
}

/** Null for bytes that are damaged, of another format, or of another training than this. */
export function decodeCheckpoint(bytes: Uint8Array, training: TrainingOf): Checkpoint | null {
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = MAGIC.length + DIGEST_BYTES;
  const digest = sealed.subarray(MAGIC.length, start);
  if (!sealed.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (!digest.equals(sha256(sealed.subarray(start)))) return null;
  // What `encodeCheckpoint` wrote, hence not checked any further than for whose it is.
  const body = start + 4 + sealed.readUInt32LE(start);
  const header = JSON.parse(sealed.toString("utf8", start + 4, body)) as Header;
  const { cell, engine, callWork } = identityOf(training);
  if (header.cell !== cell || header.engine !== engine || header.callWork !== callWork) return null;
  const parts = emptyParts(header, training.physics);
  const arrays = arraysOf(parts);
  if (byteCount(arrays) !== sealed.length - body) return null;
  let at = body;
  for (const array of arrays) {
    bytesOf(array).set(sealed.subarray(at, at + array.byteLength));
    at += array.byteLength;
  }
  return checkpointOf(parts, header, training.physics);
}

interface Header {
  readonly cell: string;
  readonly engine: string;
  /** It decides where slices end, and so how partial sums are added. */
  readonly callWork: number;
  readonly epochs: number;
  readonly from: number;
  readonly step: number;
  readonly weights: Precision;
  readonly moments: Precision;
}

function identityOf({ physics, engine }: TrainingOf): Pick<Header, "cell" | "engine" | "callWork"> {
  return { cell: cellId(physics), engine: engine.id, callWork: engine.callWork };
}

type Precision = "F32" | "F64";

function precisionOf(arrays: readonly FloatArray[]): Precision {
  return arrays.every((array) => array instanceof Float32Array) ? "F32" : "F64";
}

function zeros(length: number, precision: Precision): FloatArray {
  return precision === "F32" ? new Float32Array(length) : new Float64Array(length);
}

/** A checkpoint's content as arrays, whose lengths follow from header and physics. */
interface Parts {
  /** Loss sum, correct, and the history's four series. */
  readonly numbers: Float64Array;
  readonly weights: Weights;
  readonly snapshots: readonly Weights[];
  readonly state: OptimizerState;
}

function partsOf({ lossSum, correct, history, snapshots, weights, state }: Checkpoint): Parts {
  return {
    numbers: Float64Array.from([lossSum, correct, ...SERIES.flatMap((name) => history[name])]),
    weights,
    snapshots: snapshots.map((taken) => taken.weights),
    state: narrowed(state),
  };
}

const SERIES = ["trainLoss", "trainAccuracy", "testLoss", "testAccuracy"] as const;

/** How many entries each of the `SERIES` has after so many epochs. */
function seriesLengths(epochs: number): number[] {
  return [epochs, epochs, epochs + 1, epochs + 1];
}

function emptyParts(
  { epochs, weights, moments }: Header,
  { network, training }: CellPhysics,
): Parts {
  const state = createOptimizerState(training.optimizer, network);
  return {
    numbers: new Float64Array(seriesLengths(epochs).reduce((sum, length) => sum + length, 2)),
    weights: zeroWeights(network, weights),
    snapshots: takenAfter(epochs, training).map(() => zeroWeights(network, weights)),
    state: mapMoments(state, ({ length }) => zeros(length, moments)),
  };
}

/** The snapshots that a training after so many epochs has taken. */
function takenAfter(epochs: number, { snapshots }: CellPhysics["training"]): number[] {
  return snapshots.filter((snapshot) => snapshot !== "end" && snapshot <= epochs) as number[];
}

function zeroWeights(network: NetworkShape, precision: Precision): Weights {
  const widths = layerWidths(network);
  return widths.slice(1).map((rows, below) => ({
    weight: zeros(rows * widths[below]!, precision),
    bias: zeros(rows, precision),
  }));
}

function arraysOf({ numbers, weights, snapshots, state }: Parts): FloatArray[] {
  const layers = [weights, ...snapshots].flat();
  const parameters = layers.flatMap(({ weight, bias }) => [weight, bias]);
  return [numbers, ...parameters, ...momentArrays(state)];
}

function checkpointOf(
  { numbers, weights, snapshots, state }: Parts,
  { epochs, from, step }: Header,
  { training }: CellPhysics,
): Checkpoint {
  const [lossSum, correct, ...values] = numbers;
  const [trainLoss, trainAccuracy, testLoss, testAccuracy] = seriesLengths(epochs).map((length) =>
    values.splice(0, length),
  );
  return {
    epochs,
    from,
    lossSum: lossSum!,
    correct: correct!,
    history: {
      trainLoss: trainLoss!,
      trainAccuracy: trainAccuracy!,
      testLoss: testLoss!,
      testAccuracy: testAccuracy!,
    },
    snapshots: takenAfter(epochs, training).map((epoch, i) => {
      return { snapshot: epoch, epoch, weights: snapshots[i]! };
    }),
    weights,
    // Of either precision here, but the reference engine works on them in float64.
    state: { ...mapMoments(state, (moment) => Float64Array.from(moment)), step },
  };
}

/** The moments of engines in float32 are float32 numbers: half the bytes hold all of them. */
function narrowed(state: OptimizerState): OptimizerState {
  // NaN fails this, too: not every bit of it would be kept.
  const isNarrow = momentArrays(state).every((m) =>
    m.every((value) => Math.fround(value) === value),
  );
  return isNarrow ? mapMoments(state, (moment) => Float32Array.from(moment)) : state;
}

function momentArrays({ moments }: OptimizerState): FloatArray[] {
  return moments.flatMap(({ weight, bias }) => [...weight, ...bias]);
}

function mapMoments(
  { step, moments }: OptimizerState,
  change: (moment: FloatArray) => FloatArray,
): OptimizerState {
  return {
    step,
    moments: moments.map(({ weight, bias }) => {
      return { weight: weight.map(change), bias: bias.map(change) };
    }),
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: FloatArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function byteCount(arrays: readonly FloatArray[]): number {
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
