import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder } from "./support/folder.ts";
import { ftle, ftleWith } from "./support/ftle.ts";

const SPEC = `
axes: {width: 2, depth: 1}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: none
`;

test("options: an empty variable is as good as none, whichever of ours it is", async () => {
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
