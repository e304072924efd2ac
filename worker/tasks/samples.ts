import type { DataSetRef } from "../../shared/cell.ts";
import type { FileSamples } from "../../shared/datasets/registry.ts";
import { makeDataSet, shapeOf } from "../../shared/datasets/registry.ts";
import { InvalidTaskError } from "../../shared/errors.ts";

/**
 * The samples of a generated data set.
 * @throws InvalidTaskError if they are not those that the task means.
 */
export function generatedSamples(data: DataSetRef): FileSamples {
  const made = makeDataSet(data.name, data.options);
  if (made.digest !== data.digest) {
    throw new InvalidTaskError(
      `expected data set ${data.name} with digest ${data.digest}, made one with ${made.digest}`,
    );
  }
  return { ...made, targets: shapeOf(data, null)!.targets };
}
