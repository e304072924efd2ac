import { randomUUID } from "node:crypto";
import { readFile, readlink } from "node:fs/promises";

/** Where a process runs, as far as another needs to know to find it by its id. */
export interface ProcessPlace {
  /** Names the run of the machine's kernel: containers share it. "" where the kernel does not tell. */
  readonly boot: string;
  /** Names the table of processes within that, in which the id counts: each container has its own. */
  readonly pids: string;
}

/** Where there are no such tables, as on macOS, an id counts on all of the machine. */
const WITHOUT_TABLES: ProcessPlace = { boot: "", pids: "" };

/** Where this process runs. A table that cannot be told is like no other. */
export async function processPlace(): Promise<ProcessPlace> {
  if (process.platform !== "linux") return WITHOUT_TABLES;
  try {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    // /proc may be the one of a namespace above, which has other ids (unshare without --mount-proc).
    const seenAs = Number.parseInt(await readFile("/proc/self/stat", "utf8"), 10);
    if (seenAs !== process.pid) return { boot, pids: randomUUID() };
    // Start times, which tell an id from its later namesake, differ between time namespaces.
    const time = await readlink("/proc/self/ns/time").catch(() => ""); // from Linux 5.6 on
    return { boot, pids: `${await readlink("/proc/self/ns/pid")} ${time}`.trim() };
  } catch {
    return { boot: "", pids: randomUUID() }; // /proc is hidden, or none of Linux's own
  }
}
