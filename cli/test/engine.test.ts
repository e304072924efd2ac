import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inFolder } from "./support/folder.ts";
import { ftle, ftleWith } from "./support/ftle.ts";

const SPEC = `
axes: {width: 4, depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 1, batch: 10}
field: {points: 32, tile: 16}
`;

/** No processor has it: the native engine cannot be loaded. */
const WITHOUT_NATIVE = { FTLE_NATIVE_ISA: "vax" };

async function engineOf(out: string): Promise<string> {
  const [cell] = await readdir(join(out, "cells"));
  const record = JSON.parse(await readFile(join(out, "cells", cell!, "cell.json"), "utf8"));
  return record.physics.engine;
}

test("engine: auto is native where it is, and --engine overrides the spec", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, `${SPEC}engine: reference\n`);
    for (const [flags, id] of [
      [[], "reference-f64.1"],
      [["--engine", "auto"], "native-f32.1"],
    ] as const) {
      const out = join(folder, id);
      const { code, stderr } = await ftle("run", spec, "--out", out, "--no-plot", ...flags);
      assert.equal(code, 0, stderr);
      assert.equal(await engineOf(out), id);
      assert.equal((await ftle("verify", out, "--sample", "100%")).code, 0);
    }
  });
});

test("engine: one that is not here is refused with the remedy, and auto names the faster one that is missing", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    const out = join(folder, "out");
    await writeFile(spec, SPEC);
    const asked = await ftleWith(WITHOUT_NATIVE, "run", spec, "--out", out, "--engine", "native");
    assert.equal(asked.code, 2);
    assert.match(asked.stderr, /engine native is not here: .*npm run build:native/);
    assert.deepEqual(await readdir(folder), ["spec.yaml"]);
    const auto = await ftleWith(WITHOUT_NATIVE, "run", spec, "--out", out, "--no-plot");
    assert.equal(auto.code, 0, auto.stderr);
    assert.match(auto.stderr, /Engine native would be faster, but is not here/);
    assert.notEqual(await engineOf(out), "native-f32.1");
    // Reading what is stored needs no engine.
    assert.equal((await ftleWith(WITHOUT_NATIVE, "status", out)).code, 0);
  });
});

test("engine: an unknown name is refused with a list of the known ones", async () => {
  const { code, stderr } = await ftle("run", "x.yaml", "--engine", "abacus");
  assert.equal(code, 2);
  assert.match(stderr, /auto, native, tfjs, reference/);
});
