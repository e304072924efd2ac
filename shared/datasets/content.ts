/** Samples as they were read from files, whatever format these had: what sets like `file` and `mnist` are made from. */
import { endianness } from "node:os";

export interface Content {
  readonly samples: number;
  /** Input dimension. */
  readonly width: number;
  /** [samples, width]; bytes where all are pixels of 0 … 255. */
  readonly inputs: Float32Array | Uint8Array;
  /** [samples]: numbers of classes from 0; or [samples, values]. */
  readonly targets: Float32Array;
  /** [samples]: 1 for a sample that tests; null if the files do not say. */
  readonly isTest: Uint8Array | null;
}

/** What a plan needs to know of a content without having it. */
export interface Facts {
  /** Input dimension. */
  readonly inputs: number;
  /** Of labels, the names of the classes in the order of their numbers; null: the targets are values. */
  readonly classes: readonly string[] | null;
  /** Numbers in a target: 1 of a label. */
  readonly values: number;
  /** Samples of each class, or of all together, in each split; all train if the files do not say which test. */
  readonly train: readonly number[];
  readonly test: readonly number[];
  readonly isSplit: boolean;
  /** Smallest and largest of the first two inputs; null for one input. */
  readonly region: { readonly x: Interval; readonly y: Interval } | null;
}

type Interval = readonly [from: number, to: number];

export function factsOf(
  { samples, width, inputs, targets, isTest }: Content,
  classes: readonly string[] | null,
): Facts {
  const counts = [0, 1].map(() => new Array<number>(classes?.length ?? 1).fill(0));
  for (let i = 0; i < samples; i++) counts[isTest?.[i] ?? 0]![classes ? targets[i]! : 0]!++;
  return {
    inputs: width,
    classes,
    values: targets.length / samples,
    train: counts[0]!,
    test: counts[1]!,
    isSplit: isTest !== null,
    region: width < 2 ? null : { x: range(inputs, 0, width), y: range(inputs, 1, width) },
  };
}

/** The numbers of the classes, where their names are not known. */
export function labelsOf({ targets }: Content): string[] {
  const last = targets.reduce((most, label) => Math.max(most, label), 0);
  return Array.from({ length: last + 1 }, (_, label) => String(label));
}

function range(inputs: Content["inputs"], column: number, width: number): Interval {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = column; i < inputs.length; i += width) {
    from = Math.min(from, inputs[i]!);
    to = Math.max(to, inputs[i]!);
  }
  return [from, to];
}

/** As a safetensors file (https://github.com/huggingface/safetensors): tensors `inputs`, `targets` and, if known, `test`. */
export function encodeContent({ samples, width, inputs, targets, isTest }: Content): Uint8Array {
  if (endianness() !== "LE") throw new Error("expected a little-endian machine");
  const values = targets.length / samples;
  const tensors: [name: string, shape: number[], values: Float32Array | Uint8Array][] = [
    ["inputs", [samples, width], inputs],
    ["targets", values === 1 ? [samples] : [samples, values], targets],
    ...(isTest === null ? [] : [["test", [samples], isTest] as [string, number[], Uint8Array]]),
  ];
  const header: Record<string, object> = {};
  let end = 0;
  for (const [name, shape, { byteLength, BYTES_PER_ELEMENT }] of tensors) {
    const dtype = BYTES_PER_ELEMENT === 4 ? "F32" : "U8";
    header[name] = { dtype, shape, data_offsets: [end, end + byteLength] };
    end += byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8 + Math.ceil(text.length / 8) * 8, " ");
  head.writeBigUInt64LE(BigInt(head.length - 8));
  text.copy(head, 8);
  const parts = tensors.map(([, , { buffer, byteOffset, byteLength }]) => {
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  return Buffer.concat([head, ...parts]);
}

/** @throws Error if the bytes are not a content. */
export function decodeContent(bytes: Uint8Array): Content {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 8 + Number(buffer.readBigUInt64LE(0));
  const header = JSON.parse(buffer.toString("utf8", 8, start));
  const tensor = (name: string) => {
    const { dtype, data_offsets } = header[name] as { dtype: string; data_offsets: number[] };
    const [from, to] = data_offsets as [number, number];
    const found = new Uint8Array(bytes.buffer, bytes.byteOffset + start + from, to - from);
    if (dtype === "U8") return found;
    const aligned = found.byteOffset % 4 === 0 ? found : new Uint8Array(found);
    return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
  };
  const [samples, width] = header.inputs.shape as [number, number];
  return {
    samples,
    width,
    inputs: tensor("inputs"),
    targets: tensor("targets") as Float32Array,
    isTest: "test" in header ? (tensor("test") as Uint8Array) : null,
  };
}
