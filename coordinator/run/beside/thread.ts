/** The thread in which analyses of what only the store has are computed, one at a time. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { FieldSubject, SeedsSubject } from "../../../shared/analyses/analysis.ts";
import type { PackedFindings } from "../../../shared/analyses/pack.ts";
import { packed } from "../../../shared/analyses/pack.ts";
import { analysisOf } from "../../../shared/analyses/registry.ts";
import { errorRecord } from "../../../shared/errors.ts";
import { decodeWeights } from "../../../shared/safetensors.ts";
import { readAnalysisArray } from "../../store/analysis-zarr.ts";
import { readFieldArray } from "../../store/field-zarr.ts";
import type { BesideReply, BesideRequest, ReadField, ReadSeeds } from "./messages.ts";

const { directory } = workerData as { directory: string };
const port = parentPort!;

port.on("message", async (request: BesideRequest) => {
  port.postMessage(await replyTo(request));
});

async function replyTo(request: BesideRequest): Promise<BesideReply> {
  const start = performance.now();
  try {
    const found = await compute(request);
    return { kind: "found", found, seconds: (performance.now() - start) / 1000 };
  } catch (error) {
    return { kind: "error", error: errorRecord(error) };
  }
}

async function compute({ task, reads }: BesideRequest): Promise<PackedFindings> {
  const analysis = analysisOf(task.analysis);
  const { network } = task;
  const { options } = task.analysis;
  if (analysis.reads === "field" && reads.kind === "field") {
    const subject = { network, targets: task.targets, ...(await fieldOf(reads)) };
    return packed(analysis, analysis.compute(subject, options));
  }
  if (analysis.reads === "seeds" && reads.kind === "seeds") {
    const subject = { network, members: await membersOf(reads) };
    return packed(analysis, analysis.compute(subject, options));
  }
  throw new TypeError(`analysis ${analysis.name} reads no ${reads.kind}`);
}

async function fieldOf({
  folder,
  grid,
  weights,
}: ReadField): Promise<Omit<FieldSubject, "network" | "targets">> {
  const path = join(directory, folder);
  return {
    weights: decodeWeights(await readFile(join(directory, weights))),
    grid,
    // Over a plane, what is across a ridge is a direction within it.
    lambda1: await readFieldArray(path, grid.plane === undefined ? "lambda1" : "planeLambda1"),
    direction: await readFieldArray(path, "direction"),
    output: await readFieldArray(path, "output"),
  };
}

async function membersOf({ folders, arrays }: ReadSeeds): Promise<SeedsSubject["members"]> {
  const members: Record<string, Awaited<ReturnType<typeof readAnalysisArray>>>[] = [];
  for (const folder of folders) {
    const found: (typeof members)[number] = {};
    for (const name of arrays) found[name] = await readAnalysisArray(join(directory, folder), name);
    members.push(found);
  }
  return members;
}
