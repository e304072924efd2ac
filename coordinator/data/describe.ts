/** What is in a data set, for people. */
import type { Splits, TargetKind } from "../../shared/datasets/data-set.ts";
import { makeDataSet, makeFromContent, shapeOf } from "../../shared/datasets/registry.ts";
import type { Pictured } from "./picture.ts";
import type { ReadContent, SourcedData } from "./read-content.ts";

export interface DescribedData {
  readonly inputs: number;
  /** Numbers in a target, or classes. */
  readonly targets: number;
  /** Their names; null: the targets are values. */
  readonly classes: readonly string[] | null;
  /** Samples of each class, or of all together. */
  readonly train: readonly number[];
  readonly test: readonly number[];
  /** What identifies its samples, or the content that they are made from. */
  readonly digest: string;
  readonly pictured: Pictured;
}

/** @param content what was read of its files; null of a generated set. */
export function describeData(data: SourcedData, content: ReadContent | null): DescribedData {
  const { inputs, targets } = shapeOf(data, content?.facts ?? null)!;
  const { train, test, digest } = samplesOf(data, content);
  const classOf = classFinder(targets);
  const classes = classNames(data, targets, content?.facts.classes ?? null);
  const counts = ({ samples, targets: given }: Splits["train"]) => {
    if (classes === null) return [samples];
    const found = new Array<number>(classes.length).fill(0);
    for (const target of given) found[classOf(target)]!++;
    return found;
  };
  return {
    inputs,
    targets: targets.kind === "sign" ? 2 : targets.count,
    classes,
    train: counts(train),
    test: counts(test),
    digest,
    pictured: { samples: test, inputs, classOf },
  };
}

function samplesOf(
  data: SourcedData,
  content: ReadContent | null,
): Splits & { readonly digest: string } {
  if (content === null) return makeDataSet(data.name, data.options);
  const made = makeFromContent(data, content.bytes);
  return { ...made, digest: content.digest };
}

function classFinder({ kind }: TargetKind): Pictured["classOf"] {
  if (kind === "sign") return (target) => Number(target > 0);
  return kind === "classes" ? (target) => target : () => 0;
}

function classNames(
  { options }: SourcedData,
  targets: TargetKind,
  named: readonly string[] | null,
): string[] | null {
  if (targets.kind === "values") return null;
  if (targets.kind === "sign") return ["-1", "+1"];
  const chosen = options.classes; // of MNIST, a list
  const labels = Array.isArray(chosen)
    ? chosen
    : Array.from({ length: targets.count }, (_, k) => k);
  return labels.map((label: number) => named?.[label] ?? String(label));
}
