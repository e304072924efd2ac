import { readFile } from "node:fs/promises";

/** A process's start time; null if there is no such process; "" where there is no `/proc`. */
export async function processStart(pid: number): Promise<string | null> {
  try {
    const status = await readFile(`/proc/${pid}/stat`, "utf8");
    const afterName = status.slice(status.lastIndexOf(")") + 2).split(" ");
    // proc_pid_stat(5): field 3 is the state (Z: a zombie), field 22 the start time.
    return afterName[0] === "Z" ? null : (afterName[19] ?? "");
  } catch (error) {
    // ESRCH: it ended while we read. EPERM, EACCES: it is another user's, and /proc hides those.
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENOENT", "ESRCH", "EPERM", "EACCES"].includes(code)) throw error;
  }
  try {
    process.kill(pid, 0);
    return "";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? "" : null;
  }
}
