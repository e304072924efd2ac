import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { LOADER, moduleFile } from "../testing/repository.ts";

test("guarded process: who removes it goes on when it is gone, also if the guard went first", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ftle-guard-"));
  const guarded = join(folder, "guarded");
  try {
    // Its child holds on to descriptor 3, whose end tells that it is gone, for longer than the guard lives.
    const script = `
      import { mkdirSync } from "node:fs";
      import { spawnGuarded } from ${JSON.stringify(moduleFile("shared/process/guarded-process").href)};
      mkdirSync(${JSON.stringify(guarded)});
      const options = ${JSON.stringify({ folder: guarded, log: join(folder, "log") })};
      const held = await spawnGuarded("sh", ["-c", "sleep 0.3 & wait"], options);
      await held.remove();
      console.log(held.isGone());`;
    const args = [...LOADER, "--input-type=module", "--eval", script];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    assert.deepEqual([status, stdout], [0, "true\n"], stderr);
    assert.equal(existsSync(guarded), false);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
