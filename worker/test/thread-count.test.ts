import assert from "node:assert/strict";
import { test } from "node:test";
import { cgroupCpus, defaultThreads } from "../thread-count.ts";

const files = (content: Record<string, string>) => (path: string) => content[path] ?? null;

test("thread count: without a control group there is no quota", () => {
  assert.equal(cgroupCpus(files({})), Number.POSITIVE_INFINITY);
});

test("thread count: a version 2 quota is quota over period", () => {
  const read = files({
    "/proc/self/cgroup": "0::/\n",
    "/sys/fs/cgroup/cpu.max": "150000 100000\n",
  });
  assert.equal(cgroupCpus(read), 1.5);
});

test("thread count: the tightest quota along the path of groups counts", () => {
  const read = files({
    "/proc/self/cgroup": "0::/slurm/job_1/step_0\n",
    "/sys/fs/cgroup/slurm/job_1/step_0/cpu.max": "max 100000\n",
    "/sys/fs/cgroup/slurm/job_1/cpu.max": "400000 100000\n",
    "/sys/fs/cgroup/slurm/cpu.max": "3200000 100000\n",
  });
  assert.equal(cgroupCpus(read), 4);
});

test("thread count: a version 1 quota counts too, and -1 means none", () => {
  const v1 = (quota: string) =>
    files({
      "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": quota,
      "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
    });
  assert.equal(cgroupCpus(v1("250000\n")), 2.5);
  assert.equal(cgroupCpus(v1("-1\n")), Number.POSITIVE_INFINITY);
});

test("thread count: a quota below one core still gives a thread", () => {
  const read = files({ "/sys/fs/cgroup/cpu.max": "50000 100000\n" });
  assert.equal(defaultThreads(read), 1);
});
