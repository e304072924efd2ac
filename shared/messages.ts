/** Messages between coordinator and workers. Parsed at both ends; trusted after that. */
import { z } from "zod";
import type { CellPhysics } from "./cell.ts";
import { InvalidTaskError } from "./errors.ts";

/** Changes when an older worker could not understand a task, or would compute something else. */
export const MESSAGE_VERSION = 1;

const count = z.int().min(1);
const finite = z.number();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
/** A token of a subject, too: no dots. */
const id = z.string().regex(/^[\w-]{1,128}$/);
const engineId = z.string().regex(/^[\w.-]{1,64}$/);
const activation = z.enum(["tanh", "relu", "sigmoid", "linear"]);
const interval = z.tuple([finite, finite]).readonly();

const networkShape = z.strictObject({
  inputs: count,
  hidden: z.array(count).min(1).readonly(),
  outputs: count,
  activation,
  outputActivation: activation,
});

const optimizer = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("sgd"), learningRate: finite, momentum: finite }),
  z.strictObject({
    name: z.literal("adam"),
    learningRate: finite,
    beta1: finite,
    beta2: finite,
    epsilon: finite,
  }),
  z.strictObject({
    name: z.literal("rmsprop"),
    learningRate: finite,
    decay: finite,
    epsilon: finite,
  }),
]);

const warmup = finite.min(0);
const fraction = finite.min(0).max(1);
const schedule = z.discriminatedUnion("name", [
  z.strictObject({ name: z.literal("constant"), warmup }),
  z.strictObject({ name: z.literal("cosine"), to: fraction, warmup }),
  z.strictObject({ name: z.literal("step"), every: count, factor: fraction, warmup }),
  z.strictObject({ name: z.literal("exponential"), factor: fraction, warmup }),
]);

const snapshot = z.union([z.int().min(0), z.literal("end")]);

const loss = z.enum(["squared-error", "softmax-cross-entropy", "binary-cross-entropy"]);

const options = z.record(
  z.string(),
  z.union([z.number(), z.boolean(), z.string(), z.array(z.number()).readonly()]),
);

const dataSet = z.strictObject({ name: z.string(), options, digest });

const cellPhysics: z.ZodType<CellPhysics> = z.strictObject({
  data: dataSet,
  network: networkShape,
  initialisation: z.union([
    z.strictObject({ weightVariance: finite.min(0), thresholdVariance: finite.min(0) }),
    z.strictObject({ weights: digest }),
  ]),
  training: z.strictObject({
    loss,
    optimizer,
    /** Absent where it is constant: an older worker refuses members that it does not know. */
    schedule: schedule.exactOptional(),
    batch: count,
    epochs: z.int().min(0),
    weightDecay: finite.min(0),
    freeze: z.enum(["none", "hidden"]),
    stopAtAccuracy: finite.gt(0).max(1).nullable(),
    snapshots: z.array(snapshot).min(1).readonly(),
  }),
  seed: z.int().min(0),
  engine: z.string(),
});

const taskHeader = {
  version: z.literal(MESSAGE_VERSION),
  /** Follows from the content: the same work has the same id in every run. */
  id,
  /** Which sweep it belongs to: used to cancel a sweep and to count its queued tasks. */
  sweep: id,
  engine: engineId,
  cell: id,
  /** Estimated floating-point operations. */
  work: finite.min(0),
};

const trainTask = z.strictObject({
  ...taskHeader,
  kind: z.literal("train"),
  physics: cellPhysics,
});

const index = z.int().min(0);
const planePoint = z.union([
  z.strictObject({ train: index }),
  z.strictObject({ test: index }),
  z.array(finite).min(1).readonly(),
]);
const plane = z.union([
  z.strictObject({ through: z.tuple([planePoint, planePoint, planePoint]).readonly() }),
  z.strictObject({ axes: z.tuple([index, index]).readonly(), at: planePoint }),
]);

const fieldTask = z.strictObject({
  ...taskHeader,
  kind: z.literal("field"),
  network: networkShape,
  snapshot,
  /** Digest of the weights' safetensors blob. */
  weights: digest,
  grid: z.strictObject({
    region: z.strictObject({ x: interval, y: interval }),
    points: count,
    layers: z.enum(["last", "all"]),
    plane: plane.exactOptional(),
  }),
  /** Of the samples through which the plane goes. */
  data: dataSet.exactOptional(),
  /** First column and row of the tile, and its size, in grid points. */
  tile: z.strictObject({
    column: z.int().min(0),
    row: z.int().min(0),
    columns: count,
    rows: count,
  }),
});

const analysisTask = z.strictObject({
  ...taskHeader,
  kind: z.literal("analysis"),
  analysis: z.strictObject({ name: z.string(), version: count, options }),
  network: networkShape,
  snapshot,
  /** Digest of the weights' safetensors blob. */
  weights: digest,
  data: dataSet,
  /** How the data set's targets are to be read (`datasets/data-set.ts`). */
  targets: z.enum(["sign", "classes", "values"]),
  loss,
});

const task = z.discriminatedUnion("kind", [trainTask, fieldTask, analysisTask]);

export type TrainTask = z.infer<typeof trainTask>;
export type FieldTask = z.infer<typeof fieldTask>;
export type AnalysisTask = z.infer<typeof analysisTask>;
export type Task = z.infer<typeof task>;

/** @throws InvalidTaskError with every fault of a message that is not a task of this version. */
export function parseTask(message: unknown): Task {
  const parsed = task.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new InvalidTaskError(`not a task of version ${MESSAGE_VERSION}: ${faultsOf(parsed.error)}`);
}

const provenance = z.strictObject({
  worker: z.string(),
  engine: z.string(),
  /** Version of the program. */
  version: z.string(),
  /** The number of the task's delivery that gave this result, from 1. */
  attempt: count,
  /** Time in the thread. */
  seconds: finite.min(0),
});

/** A number that may be infinite or NaN where a training diverged. */
const anyNumber = z.union([z.number(), z.nan(), z.literal(Infinity), z.literal(-Infinity)]);

/** 0…1, or NaN where targets are values. */
const share = z.union([finite.min(0).max(1), z.nan()]);

const history = z.strictObject({
  /** Mean loss of each epoch's batches, before their updates; epochs 1, 2, … */
  trainLoss: z.array(anyNumber),
  /** Share classified correctly in each epoch's batches, before their updates; epochs 1, 2, …; NaN where nothing is classified. */
  trainAccuracy: z.array(share),
  /** Mean loss over the test split after epochs 0, 1, 2, … */
  testLoss: z.array(anyNumber),
  /** Share of the test split classified correctly after epochs 0, 1, 2, … */
  testAccuracy: z.array(share),
});

const trainResult = z.strictObject({
  kind: z.literal("train"),
  task: id,
  cell: id,
  status: z.enum(["trained", "diverged"]),
  /** Why it counts as diverged; empty if trained. */
  reason: z.string(),
  /** Epochs done. */
  epochs: z.int().min(0),
  history,
  weights: z.array(
    z.strictObject({ snapshot, epoch: z.int().min(0), digest, bytes: z.int().min(1) }),
  ),
  provenance,
});

const float32 = z.instanceof(Float32Array);

const fieldResult = z.strictObject({
  kind: z.literal("field"),
  task: id,
  cell: id,
  /** [layers, rows, columns]; NaN where not finite. */
  lambda1: float32,
  direction: float32,
  /** Of a plane, where `lambda1` is that of the whole Jacobian: its λ₂, and λ₁ within the plane. */
  lambda2: float32.exactOptional(),
  planeLambda1: float32.exactOptional(),
  /** What the network decides at each point (`numerics/decision.ts`); [rows, columns]. */
  output: float32,
  provenance,
});

const analysisResult = z.strictObject({
  kind: z.literal("analysis"),
  task: id,
  cell: id,
  /** By name; NaN where there is no number. */
  columns: z.record(z.string(), anyNumber),
  /** Names and shapes of its arrays, in the order in which `values` has them. */
  arrays: z.array(z.strictObject({ name: z.string(), shape: z.array(z.int().min(0)) })),
  values: float32,
  provenance,
});

const taskResult = z.discriminatedUnion("kind", [trainResult, fieldResult, analysisResult]);

export type Provenance = z.infer<typeof provenance>;
export type History = z.infer<typeof history>;
export type TrainResult = z.infer<typeof trainResult>;
export type FieldResult = z.infer<typeof fieldResult>;
export type AnalysisResult = z.infer<typeof analysisResult>;
export type TaskResult = z.infer<typeof taskResult>;

/** @throws TypeError with every fault of a message that is not a result. */
export function parseResult(message: unknown): TaskResult {
  const parsed = taskResult.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new TypeError(`not a result: ${faultsOf(parsed.error)}`);
}

const deadLetter = z.strictObject({
  task: id,
  sweep: id,
  cell: id,
  kind: z.string(),
  reason: z.strictObject({
    name: z.string(),
    message: z.string(),
    stack: z.string().optional(),
  }),
  worker: z.string(),
  attempts: count,
});

/** A task given up, with its reason. */
export type DeadLetter = z.infer<typeof deadLetter>;

export const deadLetterSchema: z.ZodType<DeadLetter> = deadLetter;

function faultsOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => `${path.join(".") || "message"}: ${message}`)
    .join("; ");
}
