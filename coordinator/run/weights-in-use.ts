/** Which weights workers may still need: those are kept at the broker, and dropped when nothing is open that is of them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Snapshot } from "../../shared/cell.ts";
import { storeError } from "../store/files.ts";
import { weightsFile } from "../store/layout.ts";
import type { Run } from "./run.ts";

/** By digest. */
export type WeightsInUse = Map<string, WeightsUse>;

interface WeightsUse {
  /** Open fields and analyses. */
  users: number;
  /** Their upload; null: not begun. */
  offer: Promise<void> | null;
}

/** Something is open that is of these weights. */
export function useWeights({ weights }: Run, digest: string): void {
  const use = weights.get(digest);
  if (use === undefined) weights.set(digest, { users: 1, offer: null });
  else use.users++;
}

export async function releaseWeights({ weights, transport, plan }: Run, digest: string) {
  const use = weights.get(digest);
  if (use === undefined || --use.users > 0) return;
  weights.delete(digest);
  await transport.dropBlob(plan.sweep, digest);
}

/** Workers find them already: a training has just put them there. */
export async function keepOrDropWeights({ weights, transport, plan }: Run, digest: string) {
  const use = weights.get(digest);
  if (use === undefined) await transport.dropBlob(plan.sweep, digest);
  else use.offer = Promise.resolve();
}

/** Uploads weights for the workers, once, before the first task that needs them is published. */
export function offerWeights(
  run: Run,
  { cell, snapshot, weights }: { cell: string; snapshot: Snapshot; weights: string },
): Promise<void> {
  const use = run.weights.get(weights);
  if (use === undefined) return Promise.resolve(); // an earlier coordinator's task has ended meanwhile
  use.offer ??= putWeights(run, join(run.store.directory, weightsFile(cell, snapshot)));
  return use.offer;
}

async function putWeights({ transport, plan }: Run, path: string): Promise<void> {
  const bytes = await readFile(path).catch((error) => {
    throw storeError("read", path, error);
  });
  await transport.putBlob(plan.sweep, bytes);
}
