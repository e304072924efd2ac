/**
 * A socket beside the lock, on which its holder listens. The kernel closes it with the process, and every
 * process under the same kernel can find out by connecting, in any container; process ids are valid only
 * in their own namespace.
 */
import { closeSync, lstatSync, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { join } from "node:path";

export interface Door {
  close(): Promise<void>;
}

/** Opens a door; null where the system or the file system has no sockets. It does not keep the process running. */
export async function openDoor(directory: string, name: string): Promise<Door | null> {
  if (process.platform !== "linux") return null; // there is only one namespace of process ids
  const folder = openSync(directory, "r");
  const server = createServer((visitor) => visitor.destroy()).unref();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(throughFolder(folder, name), resolve);
    });
  } catch {
    closeSync(folder);
    return null; // no sockets here, or no space: the lock works without
  }
  return {
    async close() {
      await new Promise((resolve) => server.close(resolve));
      closeSync(folder);
      await rm(join(directory, name), { force: true });
    },
  };
}

/** Whether a process listens; null if that cannot be determined. */
export async function isDoorAnswered(directory: string, name: string): Promise<boolean | null> {
  if (!lstatSync(join(directory, name), { throwIfNoEntry: false })?.isSocket()) return null;
  const folder = openSync(directory, "r");
  try {
    return await new Promise((resolve) => {
      const visitor = connect(throughFolder(folder, name));
      visitor.once("connect", () => {
        visitor.destroy();
        resolve(true);
      });
      visitor.once("error", ({ code }: NodeJS.ErrnoException) => {
        resolve(code === "ECONNREFUSED" ? false : null);
      });
    });
  } finally {
    closeSync(folder);
  }
}

/** A socket's path has room for 107 bytes (unix(7)), which is too few for the paths of most directories. */
function throughFolder(folder: number, name: string): string {
  return `/proc/self/fd/${folder}/${name}`;
}
