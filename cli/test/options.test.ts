import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { leaseMilliseconds, milliseconds } from "../terminal/durations.ts";
import { moment } from "../terminal/metrics-options.ts";
import { inFolder } from "./support/folder.ts";
import { ftle, ftleWith } from "./support/ftle.ts";

const SPEC = `
axes: {width: 2, depth: 1}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: none
`;

test("options: each of our variables counts as unset when it is empty", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    const empty = {
      FTLE_METRICS: "",
      FTLE_NATS: "",
      FTLE_NATS_CA: "",
      FTLE_NATS_CREDENTIALS: "",
      FTLE_THREADS: "",
    };
    const { code, stderr } = await ftleWith(empty, "run", spec, "--out", join(folder, "out"));
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /metrics at/);
    const worker = await ftleWith(empty, "worker");
    assert.equal(worker.code, 2);
    assert.match(worker.stderr, /expected a broker: --nats/);
  });
});

test("options: an empty address for metrics on the command line is refused", async () => {
  const { code, stderr } = await ftle("run", "spec.yaml", "--metrics", "");
  assert.equal(code, 2);
  assert.match(stderr, /Expected host:port or a port, got \./);
});

test("options: a duration is whole milliseconds, of ten years at most", () => {
  const cases = {
    "90s": 90_000,
    "30m": 1_800_000,
    "597h": 2_149_200_000,
    "0.5ms": 1,
    "1.0005s": 1_001,
  };
  for (const [text, ms] of Object.entries(cases)) assert.equal(milliseconds(text), ms, text);
  assert.equal(milliseconds("87600h"), 315_360_000_000);
  for (const text of ["87600.1h", `1${"0".repeat(400)}h`]) {
    assert.throws(() => milliseconds(text), /Expected a duration of at most 87600h, got/);
  }
  for (const text of ["0s", "-1s", "1d", "1e3s", "", "s"]) {
    assert.throws(() => milliseconds(text), /Expected a duration such as 90s, 30m or 12h/, text);
  }
});

test("options: a lease that no worker could keep is refused", () => {
  assert.equal(leaseMilliseconds("100ms"), 100);
  assert.throws(() => leaseMilliseconds("99ms"), /Expected at least 100ms, got 99ms/);
});

test("options: a task may take longer than a timer of Node can wait", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    const run = ["run", spec, "--out", join(folder, "out"), "--task-timeout", "597h"];
    const { code, stderr } = await ftle(...run);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Warning/);
  });
});

test("options: a deadline is a time that exists, or a duration from now", async () => {
  assert.equal(moment("2028-02-29"), Date.UTC(2028, 1, 29));
  assert.equal(moment("2026-12-24T18:00Z"), Date.UTC(2026, 11, 24, 18));
  assert.equal(moment("2026-12-24T23:30:00.5-02:00"), Date.UTC(2026, 11, 25, 1, 30, 0, 500));
  assert.ok(moment("597h") - Date.now() > 596 * 3_600_000);
  for (const text of ["2026-02-31T00:00Z", "2026-02-31", "2027-02-29", "2026-04-31T12:00+02:00"]) {
    assert.throws(() => moment(text), /got \d{4}-.*: that month has no day (29|31)\.$/, text);
  }
  const none = ["2026-13-01", "2026-00-10", "2026-01-00", "2026-01-32", "2026-01-01T25:00Z"];
  for (const text of [...none, "2026-01-01T00:61Z", "2026-01-01T00:00+99:00", "2026-1-1", ""]) {
    assert.throws(() => moment(text), /Expected a time such as 2026-12-24T18:00Z/, text);
  }
  const { code, stderr } = await ftle("run", "none.yaml", "--deadline", "2026-02-31T00:00Z");
  assert.equal(code, 2);
  assert.match(stderr, /that month has no day 31/);
});
