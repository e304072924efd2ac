/** Takes samples out of what was read from files. */
import type { Content } from "./content.ts";
import type { Room, Samples } from "./data-set.ts";

/** An input x becomes (x − shift) · factor, by its place in a sample. */
export interface Scale {
  readonly shift: Float64Array;
  readonly factor: Float64Array;
}

export const inOrdinaryMemory: Room = (length) => new Float32Array(length);

export interface Picked {
  /** Their numbers. */
  readonly samples: Uint32Array;
  /** null: as they are. */
  readonly scale: Scale | null;
  /** The class by its number in the content; absent: the same. */
  readonly labels?: ReadonlyMap<number, number>;
}

export function pick(
  { width, inputs, targets, samples: all }: Content,
  { samples, scale, labels }: Picked,
  room: Room,
): Samples {
  const values = targets.length / all;
  const made = {
    samples: samples.length,
    inputs: room(samples.length * width),
    targets: room(samples.length * values),
  };
  samples.forEach((from, to) => {
    for (let j = 0; j < width; j++) {
      const x = inputs[from * width + j]!;
      made.inputs[to * width + j] = scale === null ? x : (x - scale.shift[j]!) * scale.factor[j]!;
    }
    for (let j = 0; j < values; j++) {
      const target = targets[from * values + j]!;
      made.targets[to * values + j] = labels?.get(target) ?? target;
    }
  });
  return made;
}
