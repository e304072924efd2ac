import type { AnalysisTask, FieldTask, TaskResult } from "../messages.ts";
import { MESSAGE_VERSION } from "../messages.ts";

/** A valid task of engine `test.1`, sweep `s` and cell `c`. */
export function fieldTaskFixture(id: string): FieldTask {
  return {
    version: MESSAGE_VERSION,
    id,
    sweep: "s",
    engine: "test.1",
    cell: "c",
    work: 1,
    kind: "field",
    network: {
      inputs: 2,
      hidden: [1],
      outputs: 1,
      activation: "tanh",
      outputActivation: "tanh",
    },
    snapshot: "end",
    weights: `sha256:${"0".repeat(64)}`,
    grid: { region: { x: [-1, 1], y: [-1, 1] }, points: 1, layers: "last" },
    tile: { column: 0, row: 0, columns: 1, rows: 1 },
  };
}

/** A valid result of the task `fieldTaskFixture(id)`. */
export function resultFixture(id: string, seconds = 0): TaskResult {
  return {
    kind: "field",
    task: id,
    cell: "c",
    lambda1: new Float32Array(1),
    direction: new Float32Array(1),
    output: new Float32Array(1),
    provenance: { worker: "w1", engine: "test.1", version: "0", attempt: 1, seconds },
  };
}

export function analysisTaskFixture(id: string): AnalysisTask {
  const { grid: _, tile: __, ...task } = fieldTaskFixture(id);
  return {
    ...task,
    kind: "analysis",
    analysis: { name: "exponents", version: 1, options: { at: "test", count: 2 } },
    data: { name: "circle", options: { radius: 0.8 }, digest: task.weights },
    targets: "sign",
    loss: "squared-error",
  };
}

/** A result of the task `analysisTaskFixture(id)`. */
export function analysisResultFixture(id: string): TaskResult {
  const { provenance } = resultFixture(id);
  const columns = { mean: 0.5, std: Number.NaN, q05: Number.NEGATIVE_INFINITY };
  const arrays = [{ name: "lambda", shape: [2, 2] }];
  const values = Float32Array.of(1, Number.NaN, 2, Number.NEGATIVE_INFINITY);
  return { kind: "analysis", task: id, cell: "c", columns, arrays, values, provenance };
}
