/** What `high-dimensional.ts` measures: λ₁ at MNIST's test images, and fields over planes in more inputs or fewer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cell, Plan } from "../../coordinator/plan/plan.ts";
import { fieldTask, planSweep } from "../../coordinator/plan/plan.ts";
import { parseSweep } from "../../coordinator/spec/parse-sweep.ts";
import { readSweepText } from "../../coordinator/spec/read-sweep.ts";
import { makeFromContent } from "../../shared/datasets/registry.ts";
import { randomKey } from "../../shared/identity.ts";
import type { FieldTask } from "../../shared/messages.ts";
import { initialWeights } from "../../shared/numerics/initialise.ts";
import type { NetworkShape, Weights } from "../../shared/numerics/network.ts";
import { encodeWeights } from "../../shared/safetensors.ts";
import { createEngine, resolveEngine } from "../../worker/engines/registry.ts";
import { progressOver } from "../../worker/tasks/progress.ts";
import { train } from "../../worker/tasks/train.ts";

interface Common {
  readonly network: NetworkShape;
  /** Path of the weights' safetensors file, float32. */
  readonly weights: string;
}

/** λ₁ at samples. */
export interface SamplesCase extends Common {
  readonly kind: "samples";
  /** Path: float32 [samples, inputs]. */
  readonly inputs: string;
  /** λ₁ of so many first samples is compared. */
  readonly checked: number;
  /** Sizes of batches that peers try. */
  readonly chunks: readonly number[];
}

/** A tile of a field. */
export interface FieldCase extends Common {
  readonly kind: "field";
  readonly task: FieldTask;
}

export type Case = SamplesCase | FieldCase;

const NETWORK = "axes: {width: 20, depth: 16}";
/** Points per side of the tile. */
const POINTS = 128;

/**
 * A network that has learned MNIST for an epoch.
 * @param data the folder of the four files, or one that has them in `mnist`.
 * @throws UsageError or DataError if they are not there.
 */
export async function mnistCase(folder: string, data: string): Promise<SamplesCase> {
  const spec = `
${NETWORK}
data: {name: mnist}
training: {loss: softmax-cross-entropy, epochs: 1, optimizer: adam, batch: 100}
`;
  const { sweep, content } = await readSweepText(spec, { file: "mnist.yaml", moved: data });
  const engine = resolveEngine("native");
  const { physics } = planSweep(sweep, engine).cells[0]!;
  const samples = makeFromContent(physics.data, content!.bytes);
  const options = { data: samples, progress: progressOver() };
  const { snapshots } = train(physics, createEngine(engine), options);
  const inputs = join(folder, "mnist.f32");
  writeFileSync(inputs, samples.test.inputs);
  return {
    kind: "samples",
    network: physics.network,
    weights: written(join(folder, "mnist.safetensors"), snapshots[0]!.weights),
    inputs,
    checked: 100,
    chunks: [200, 1000, 4000],
  };
}

/** A tile over the plane through three points of random coordinates, of an untrained network. */
export function planeCase(folder: string, inputs: number): FieldCase {
  const points = [0, 1, 2].map((k) => {
    return Array.from({ length: inputs }, (_, i) => Math.sin(1 + 3 * i + k)); // as good as random
  });
  const plane = `field: {plane: {through: ${JSON.stringify(points)}}, points: ${POINTS}}`;
  return fieldCase(
    folder,
    `data: {name: gaussians, samples: 100, dimensions: ${inputs}}\n${plane}`,
  );
}

/** A tile of an ordinary field of two inputs. */
export function ordinaryCase(folder: string): FieldCase {
  return fieldCase(folder, `data: {name: circle, samples: 100}\nfield: {points: ${POINTS}}`);
}

function fieldCase(folder: string, spec: string): FieldCase {
  const parsed = parseSweep(`${NETWORK}\n${spec}\n`, { file: "field.yaml" });
  if ("faults" in parsed) throw new Error(JSON.stringify(parsed.faults));
  const plan = planSweep(parsed.sweep, resolveEngine("native"));
  const [cell] = plan.cells as [Cell];
  const { network } = cell.physics;
  const file = join(folder, `${network.inputs}-inputs.safetensors`);
  const weights = written(file, untrained(cell));
  return { kind: "field", network, weights, task: tileOf(plan, cell) };
}

function untrained({ physics }: Cell): Weights {
  const { network, initialisation } = physics;
  if ("weights" in initialisation) throw new TypeError("expected random weights");
  return initialWeights(network, initialisation, randomKey(physics));
}

function tileOf(plan: Plan, cell: Cell): FieldTask {
  const place = { snapshot: "end", weights: "", side: POINTS, row: 0, column: 0 } as const;
  return fieldTask(plan, cell, place);
}

/** In float32, so that all contestants have the same. */
function written(path: string, weights: Weights): string {
  const rounded = weights.map(({ weight, bias }) => {
    return { weight: Float32Array.from(weight), bias: Float32Array.from(bias) };
  });
  writeFileSync(path, encodeWeights(rounded, {}));
  return path;
}
