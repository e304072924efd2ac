import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives `body` a folder of its own, and removes it afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await makeFolder();
  try {
    await body(folder);
  } finally {
    await removeFolder(folder);
  }
}

export async function makeFolder(): Promise<string> {
  return await mkdtemp(join(tmpdir(), "ftle-cli-"));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}
