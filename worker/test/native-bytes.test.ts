import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { loadNative } from "../engines/native.ts";
import { resultDigests } from "../testing/result-digests.ts";

const native = loadNative();
if ("missing" in native) throw new Error(native.missing);
const { engine } = native;

/** `npm run test:arm64` compares the other architecture. */
const sets = process.arch === "arm64" ? ["neon", "baseline"] : ["avx512", "avx2", "baseline"];
for (const isa of sets) {
  test(`native bytes: ${isa} gives those of ${engine.details?.vectors}`, (t) => {
    const script = fileURLToPath(moduleFile("worker/testing/result-digests"));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [...LOADER, "--conditions", "development", script],
      { encoding: "utf8", env: { ...process.env, FTLE_NATIVE_ISA: isa } },
    );
    if (status !== 0) {
      assert.match(stderr, /no instruction set that was built and that this processor has/);
      t.skip(`this processor has no ${isa}`);
      return;
    }
    assert.deepEqual(JSON.parse(stdout), resultDigests(engine));
  });
}

test("native bytes: they are those of this engine id", () => {
  const digests = resultDigests(engine);
  const some = ["field tanh [10,10,10] gain 0.5", "field deep", "points tanh 20 [17,50,1,9]"];
  const adam = "training adam  softmax-cross-entropy [17,50,1,9]";
  // If these change, so must the engine's id: results stored under the old one would not be reproduced.
  assert.deepEqual(
    [...some, adam].map((name) => digests[name]),
    ["278093cff70e9ce8", "f5e58db1d3df6dbe", "7183bdf9652fe2bf", "d727b26b67d142c2"],
  );
});
