/** Reads the four IDX files of MNIST and of sets in its format (http://yann.lecun.com/exdb/mnist). */
import { gunzipSync } from "node:zlib";
import type { Content, Facts } from "../../shared/datasets/content.ts";
import { factsOf } from "../../shared/datasets/content.ts";
import type { DataFault } from "./table.ts";
import { DataError, MOST_FAULTS } from "./table.ts";

/** By what they hold. Of each, `.gz` as well. */
export const IDX_FILES = {
  trainImages: "train-images-idx3-ubyte",
  trainLabels: "train-labels-idx1-ubyte",
  testImages: "t10k-images-idx3-ubyte",
  testLabels: "t10k-labels-idx1-ubyte",
} as const;

export type IdxFiles = Readonly<Record<keyof typeof IDX_FILES, Uint8Array>>;

const CLASSES = Array.from({ length: 10 }, (_, k) => String(k));
const PIXELS = 28 * 28;

/** @throws DataError with what is wrong with each of the files. */
export function contentOfIdx(folder: string, files: IdxFiles): { content: Content; facts: Facts } {
  const faults: DataFault[] = [];
  const images = (name: "trainImages" | "testImages") => {
    return parse(files[name], { name: IDX_FILES[name], magic: 0x803, faults, each: PIXELS });
  };
  const labels = (name: "trainLabels" | "testLabels") => {
    return parse(files[name], { name: IDX_FILES[name], magic: 0x801, faults, each: 1 });
  };
  const [train, test] = [images("trainImages"), images("testImages")];
  const [trainLabels, testLabels] = [labels("trainLabels"), labels("testLabels")];
  const pairs = [
    [IDX_FILES.trainLabels, trainLabels.length, train.length / PIXELS],
    [IDX_FILES.testLabels, testLabels.length, test.length / PIXELS],
  ] as const;
  for (const [place, found, expected] of pairs) {
    if (found === expected || faults.length > 0) continue;
    faults.push({ place, expected: `${expected} labels, one an image`, found: String(found) });
  }
  const all = [...trainLabels, ...testLabels];
  all.forEach((label, i) => {
    if (label <= 9 || faults.length >= MOST_FAULTS) return;
    const isTest = i >= trainLabels.length;
    const place = `${isTest ? IDX_FILES.testLabels : IDX_FILES.trainLabels}, byte ${8 + i - (isTest ? trainLabels.length : 0)}`;
    faults.push({ place, expected: "a label from 0 to 9", found: String(label) });
  });
  if (faults.length > 0) throw new DataError(folder, faults);
  const content: Content = {
    samples: all.length,
    width: PIXELS,
    inputs: Buffer.concat([train, test]),
    targets: Float32Array.from(all),
    isTest: Uint8Array.from(all, (_, i) => Number(i >= trainLabels.length)),
  };
  return { content, facts: factsOf(content, CLASSES) };
}

interface Expected {
  readonly name: string;
  readonly magic: number;
  /** Bytes of one image or label. */
  readonly each: number;
  readonly faults: DataFault[];
}

/** The bytes after the header; none if it is faulty. */
function parse(given: Uint8Array, { name, magic, each, faults }: Expected): Uint8Array {
  const refuse = (place: string, expected: string, found: string) => {
    faults.push({ place: `${name}, ${place}`, expected, found });
    return new Uint8Array();
  };
  let bytes: Buffer;
  try {
    const isCompressed = given[0] === 0x1f && given[1] === 0x8b;
    bytes = isCompressed ? gunzipSync(given) : Buffer.from(given);
  } catch (error) {
    return refuse("as gzip", "a whole file", (error as Error).message);
  }
  const head = each === 1 ? 8 : 16;
  const hex = (number: number) => `0x${number.toString(16).padStart(8, "0")}`;
  if (bytes.length < head) return refuse("byte 0", `a header of ${head} bytes`, `${bytes.length}`);
  const found = bytes.readUInt32BE(0);
  if (found !== magic) return refuse("byte 0", `the magic number ${hex(magic)}`, hex(found));
  if (each > 1) {
    const [rows, columns] = [bytes.readUInt32BE(8), bytes.readUInt32BE(12)];
    if (rows * columns !== each)
      return refuse("byte 8", "images of 28 × 28", `${rows} × ${columns}`);
  }
  const length = head + bytes.readUInt32BE(4) * each;
  if (bytes.length !== length) {
    return refuse(
      `byte ${Math.min(length, bytes.length)}`,
      `${length} bytes, as its header says`,
      `${bytes.length}`,
    );
  }
  return bytes.subarray(head);
}
