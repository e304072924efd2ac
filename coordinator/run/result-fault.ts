import { analysisOf } from "../../shared/analyses/registry.ts";
import type {
  AnalysisResult,
  AnalysisTask,
  FieldResult,
  FieldTask,
  Task,
  TaskResult,
  TrainResult,
  TrainTask,
} from "../../shared/messages.ts";
import { arraysOf } from "../store/field-zarr.ts";

/**
 * Why a well-formed result cannot belong to the task; null if it can. A worker that sends such a
 * result is at fault: its task is given up, and the result is not stored.
 */
export function resultFault(task: Task, result: TaskResult): string | null {
  if (result.kind !== task.kind)
    return `expected a result of kind ${task.kind}, got ${result.kind}`;
  if (result.cell !== task.cell)
    return `expected a result of cell ${task.cell}, got ${result.cell}`;
  const { engine } = result.provenance;
  if (engine !== task.engine) return `expected a result of engine ${task.engine}, got ${engine}`;
  if (task.kind === "train") return trainingFault(task, result as TrainResult);
  return task.kind === "field"
    ? tileFault(task, result as FieldResult)
    : analysisFault(task, result as AnalysisResult);
}

function trainingFault({ physics }: TrainTask, { status, weights }: TrainResult): string | null {
  const found = weights.map(({ snapshot }) => snapshot);
  const lacking = physics.training.snapshots.filter((snapshot) => !found.includes(snapshot));
  if (status === "diverged" || lacking.length === 0) return null;
  return `expected weights of every snapshot, got none for ${lacking.join(", ")}`;
}

/** Columns and arrays must be those of its description, and the values as many as the shapes say. */
function analysisFault({ analysis }: AnalysisTask, result: AnalysisResult): string | null {
  const { columns, arrays } = analysisOf(analysis);
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).join();
  if (names(columns) !== Object.keys(result.columns).join()) {
    return `expected the columns ${names(columns)}, got ${Object.keys(result.columns).join()}`;
  }
  if (names(arrays) !== names(result.arrays)) {
    return `expected the arrays ${names(arrays)}, got ${names(result.arrays)}`;
  }
  for (const [i, { name, shape }] of result.arrays.entries()) {
    const expected = arrays[i]!.dimensions.length;
    if (shape.length !== expected) {
      return `expected ${expected} dimensions of ${name}, got ${shape.length}`;
    }
  }
  const length = result.arrays.reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const found = result.values.length;
  return found === length ? null : `expected ${length} values of its arrays, got ${found}`;
}

function tileFault({ network, grid, tile }: FieldTask, result: FieldResult): string | null {
  const points = tile.rows * tile.columns;
  const layers = grid.layers === "all" ? network.hidden.length : 1;
  for (const name of arraysOf(grid)) {
    const length = name === "output" ? points : layers * points;
    const found = result[name]?.length ?? 0;
    if (found !== length) return `expected ${length} values of ${name}, got ${found}`;
  }
  return null;
}
