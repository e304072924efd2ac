/** Whether layers, each fine by itself, are a network: they follow one another, and hold finite numbers. */
import type { FloatArray } from "../../shared/numerics/network.ts";
import type { DataFault } from "../data/table.ts";
import type { FoundLayer } from "./found-network.ts";

/** All that is wrong with the layers. */
export function layerFaults({ layers }: { readonly layers: readonly FoundLayer[] }): DataFault[] {
  if (layers.length < 2) {
    const expected = "two linear layers or more, a hidden one and that of the outputs";
    const [only] = layers;
    const found = only === undefined ? "none" : `only ${only.name} ${shapeOf(only)}`;
    return [{ place: "", expected, found }];
  }
  const faults = shapeFaults(layers);
  return faults.length > 0 && areTransposed(layers)
    ? [transposedFault(layers)]
    : [...faults, ...layers.flatMap(valueFaults)];
}

function shapeFaults(layers: readonly FoundLayer[]): DataFault[] {
  return layers.flatMap((layer, l) => {
    const below = layers[l - 1];
    const faults: DataFault[] = [];
    const { inputs, outputs, bias, places } = layer;
    if (inputs === 0 || outputs === 0) {
      const expected = "one input and one output or more";
      faults.push({ place: places.weight, expected, found: shapeOf(layer) });
    }
    if (below !== undefined && below.outputs !== inputs) {
      const expected = `[${outputs}, ${below.outputs}], as layer ${below.name} before it has ${below.outputs} outputs`;
      faults.push({ place: places.weight, expected, found: shapeOf(layer) });
    }
    if (bias !== null && bias.length !== outputs) {
      const expected = `[${outputs}], as the weight is ${shapeOf(layer)}`;
      faults.push({ place: places.bias, expected, found: `[${bias.length}]` });
    }
    return faults;
  });
}

/** If every shape were [in, out], would all fit? */
function areTransposed(layers: readonly FoundLayer[]): boolean {
  return layers.every(({ inputs, outputs, bias }, l) => {
    const above = layers[l + 1];
    return (
      (above === undefined || above.outputs === inputs) &&
      (bias === null || bias.length === inputs) &&
      inputs * outputs > 0
    );
  });
}

function transposedFault(layers: readonly FoundLayer[]): DataFault {
  const shapes = layers.map(shapeOf).join(", ");
  const found = `${shapes}: these look transposed: [in, out], as of Keras or JAX; give them as [out, in]`;
  return { place: "weights", expected: "[out, in] of each layer", found };
}

function valueFaults({ weight, bias, places, inputs }: FoundLayer): DataFault[] {
  return [
    ...finiteFaults(places.weight, weight, (i) => `[${Math.floor(i / inputs)}, ${i % inputs}]`),
    ...finiteFaults(places.bias, bias ?? new Float32Array(), (i) => `[${i}]`),
  ];
}

function finiteFaults(
  place: string,
  values: FloatArray,
  index: (i: number) => string,
): DataFault[] {
  let [first, count] = [0, 0];
  for (let i = values.length - 1; i >= 0; i--) {
    if (Number.isFinite(values[i])) continue;
    first = i;
    count++;
  }
  if (count === 0) return [];
  const found = `${values[first]} at ${index(first)}${count > 1 ? ` and ${count - 1} more` : ""}`;
  return [{ place, expected: "finite numbers", found }];
}

function shapeOf({ outputs, inputs }: FoundLayer): string {
  return `[${outputs}, ${inputs}]`;
}
