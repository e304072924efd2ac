/** Gives workers what a data set from files is made of. */
import { join } from "node:path";
import { StoreError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/identity.ts";
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
 * Puts the content of the sweep's files, of which the store has a copy, where workers find it.
 * @throws StoreError if the copy is missing or damaged.
 */
export async function offerContent({ plan, directory, transport }: Offered): Promise<void> {
  const { content, sweep } = plan;
  const path = join(directory, contentFile(content!));
  const bytes = await readIfThere(path);
  if (bytes === null || digestOf(bytes) !== content) {
    const found = bytes === null ? "nothing" : "other bytes";
    throw new StoreError(`expected the data set in ${path}, found ${found}`, { path });
  }
  await transport.putBlob(sweep, bytes);
}
