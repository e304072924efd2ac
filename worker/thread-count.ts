import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";

/** One thread per core that this process may use, by its CPU affinity and its control group's quota. */
export function defaultThreads(read: (path: string) => string | null = readIfThere): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cgroupCpus(read))));
}

/**
 * How many CPUs the process's control group and its parents allow; infinite without a quota.
 * https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
 */
export function cgroupCpus(read: (path: string) => string | null): number {
  const membership = read("/proc/self/cgroup") ?? "";
  const group = /^0::(.*)$/m.exec(membership)?.[1] ?? "/";
  let cpus = Number.POSITIVE_INFINITY;
  for (let path = group; ; path = dirname(path)) {
    const [quota, period] = (read(join("/sys/fs/cgroup", path, "cpu.max")) ?? "max").split(" ");
    if (quota !== undefined && quota !== "max")
      cpus = Math.min(cpus, Number(quota) / Number(period));
    if (path === "/" || path === ".") break;
  }
  // Version 1 of control groups keeps quota and period in separate files.
  const quota = Number(read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") ?? -1);
  const period = Number(read("/sys/fs/cgroup/cpu/cpu.cfs_period_us") ?? 0);
  return quota > 0 && period > 0 ? Math.min(cpus, quota / period) : cpus;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // not on Linux, or without this controller, there is no quota
  }
}
