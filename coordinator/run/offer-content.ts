/** Gives workers what a data set from files is made of, and imported networks. */
import { join } from "node:path";
import { StoreError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Task } from "../../shared/messages.ts";
import type { CoordinatorTransport } from "../../shared/transport/transport.ts";
import type { Plan } from "../plan/plan.ts";
import { readIfThere } from "../store/files.ts";
import { contentFile } from "../store/layout.ts";

interface Offered {
  readonly plan: Plan;
  readonly directory: string;
  readonly transport: CoordinatorTransport;
}

/**
 * Puts a content of which the store has a copy where workers find it.
 * @throws StoreError if the copy is missing or damaged.
 */
export async function offerContent(
  { plan, directory, transport }: Offered,
  digest: string,
): Promise<void> {
  const path = join(directory, contentFile(digest));
  const bytes = await readIfThere(path);
  if (bytes === null || digestOf(bytes) !== digest) {
    const found = bytes === null ? "nothing" : "other bytes";
    throw new StoreError(`expected content ${digest} in ${path}, found ${found}`, { path });
  }
  await transport.putBlob(plan.sweep, bytes);
}

/** Digests of what a task may need that was read from files. */
export function contentsOf({ content }: Plan, task: Task): string[] {
  if (task.kind === "field" && task.data === undefined) return [];
  const contents = content === null ? [] : [content];
  if (task.kind !== "train" || !("weights" in task.physics.initialisation)) return contents;
  return [...contents, task.physics.initialisation.weights];
}
