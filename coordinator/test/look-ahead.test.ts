import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as loopTurn } from "node:timers/promises";
import { lookAhead } from "../store/look-ahead.ts";
import { looksOf } from "../store/looks.ts";

const NAMES = ["a", "b"];
const COUNT = 200;
const DEADLINE_MS = 30_000;

test("look-ahead: finds what looking here finds, says what is missing, and leaves what was asked for", async () => {
  const root = mkdtempSync(join(tmpdir(), "ftle-look-"));
  try {
    const folders = Array.from({ length: COUNT }, (_, i) => join(root, String(i)));
    for (const folder of folders) {
      mkdirSync(folder);
      for (const name of NAMES) writeFileSync(join(folder, name), folder);
    }
    rmSync(join(folders[150]!, "b"));
    const ahead = lookAhead(folders, NAMES, { least: 0 });
    const last = 100;
    const start = performance.now();
    while (ahead.sumAt(last) === undefined) {
      assert.ok(performance.now() - start < DEADLINE_MS, "the thread has not come so far");
      await loopTurn();
    }
    for (let i = last; i < COUNT; i++) {
      assert.deepEqual(ahead.sumAt(i), looksOf(folders[i]!, NAMES)?.sum ?? null);
    }
    assert.equal(ahead.sumAt(150), null);
    assert.equal(ahead.sumAt(0), undefined, "what comes before is not looked at");
    await ahead.stop();
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("look-ahead: a thread is not worth its start for a few folders", async () => {
  const ahead = lookAhead(["nowhere"], NAMES);
  assert.equal(ahead.sumAt(0), undefined);
  await ahead.stop();
});
