/** Tasks that take no time, to measure the cost of a queue itself. */
import type { FieldTask, TaskResult } from "../../shared/messages.ts";
import { encodeResult } from "../../shared/transport/nats/result-codec.ts";

export const SWEEP = "bench";
export const ENGINE = "none-1";

/** A field task as sweeps have them. */
export function taskOf(id: string): FieldTask {
  return {
    version: 1,
    id,
    sweep: SWEEP,
    engine: ENGINE,
    cell: "a3f81c2b90d4e567",
    work: 1e9,
    kind: "field",
    network: {
      inputs: 2,
      hidden: [50, 50, 50, 50],
      outputs: 1,
      activation: "tanh",
      outputActivation: "tanh",
    },
    snapshot: "end",
    weights: `sha256:${"0123456789abcdef".repeat(4)}`,
    grid: { region: { x: [-1, 1], y: [-1, 1] }, points: 512, layers: "last" },
    tile: { column: 0, row: 128, columns: 128, rows: 128 },
  };
}

/** A tile of one point. */
export function resultOf(task: string): TaskResult {
  return {
    kind: "field",
    task,
    cell: "a3f81c2b90d4e567",
    lambda1: new Float32Array([0.1]),
    direction: new Float32Array([0.2]),
    output: new Float32Array([0.3]),
    provenance: { worker: "w1", engine: ENGINE, version: "0.1.0", attempt: 1, seconds: 0.001 },
  };
}

/** Bytes of a task and a result on the wire, envelopes not counted. */
export function sizes(): { task: number; result: number } {
  const id = "task-10000";
  return { task: JSON.stringify(taskOf(id)).length, result: encodeResult(resultOf(id)).length };
}

/** A result for a queue of JSON, as long as ours. */
export function plainResult(): object {
  const bare = { task: "task-10000", cell: "a3f81c2b90d4e567", worker: "w1", values: "" };
  return { ...bare, values: "x".repeat(sizes().result - JSON.stringify(bare).length) };
}
