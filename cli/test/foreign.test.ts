import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { CELLS, SWEEP_JSON, SWEEP_YAML } from "../../coordinator/store/layout.ts";
import { sealJson } from "../../coordinator/store/sealed-json.ts";
import { makeFolder, removeFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { assertSameContents, contents } from "./support/stored.ts";

const SPEC = `
name: mine
axes: {width: 2, depth: 1}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: none
`;

/** Another program's, of the same name as ours. */
const WANDB = "program: train.py\nmethod: grid\nparameters: {lr: {values: [0.1, 0.01]}}\n";
const ITS_JSON = JSON.stringify({ program: "train.py", method: "grid" }, null, 1);

type Tree = Readonly<Record<string, string>>;

async function plant(directory: string, tree: Tree): Promise<void> {
  for (const [path, text] of Object.entries(tree)) {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

/** Every entry of a folder with what it holds and when it was changed. */
async function traces(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const path of (await readdir(folder, { recursive: true })).sort()) {
    const { mtimeMs, ctimeMs } = await stat(join(folder, path));
    const text = await readFile(join(folder, path), "utf8").catch(() => "a folder");
    found[path] = `${mtimeMs} ${ctimeMs} ${text}`;
  }
  return found;
}

describe("foreign", { concurrency: 2 }, () => {
  let folder: string;
  let spec: string;
  let whole: string;

  before(async () => {
    folder = await makeFolder();
    spec = join(folder, "spec.yaml");
    whole = join(folder, "whole");
    await writeFile(spec, SPEC);
    await runHere(spec, whole);
  });
  after(async () => {
    await removeFolder(folder);
  });

  const foreign: Record<string, [found: RegExp, tree: Tree]> = {
    "another program's sweep.yaml": [
      /found sweep\.yaml, which is not a valid spec/,
      { "sweep.yaml": WANDB, "summary.csv": "my table", "notes.txt": "notes" },
    ],
    "another program's sweep.json": [/found sweep\.json, which is not/, { "sweep.json": ITS_JSON }],
    "another program's sweep.json beside a spec of ours": [
      /found sweep\.json, which is not/,
      { "sweep.json": ITS_JSON, "sweep.yaml": SPEC },
    ],
    "foreign cells": [/found cells, which/, { "cells/notebook.ipynb": "{}" }],
    "a cell without a record": [/found cells, which/, { "cells/0123456789abcdef/data.bin": "" }],
    "a table": [/found summary\.csv in it/, { "summary.csv": "my table" }],
  };
  for (const [name, [found, tree]] of Object.entries(foreign)) {
    test(`foreign: ${name} is left alone, with exit code 2`, async () => {
      const directory = join(folder, name.replaceAll(/\W/g, "-"));
      await plant(directory, tree);
      const before = await traces(directory);
      const { code, stderr } = await ftle("run", spec, "--out", directory, "--no-plot");
      assert.equal(code, 2, stderr);
      assert.match(stderr, found);
      assert.match(stderr, /Choose another --out\n$/);
      assert.doesNotMatch(stderr, / → |\n\s+at /);
      assert.deepEqual(await traces(directory), before);
    });
  }

  test("foreign: a store of another format is refused as a whole", async () => {
    const directory = join(folder, "other-format");
    await plant(directory, { "sweep.json": sealJson({ format: 2 }), "sweep.yaml": SPEC });
    const before = await traces(directory);
    for (const args of [
      ["run", spec, "--out", directory],
      ["status", directory],
    ]) {
      const { code, stderr } = await ftle(...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /expected a store of format 1, found format 2/);
    }
    assert.deepEqual(await traces(directory), before);
  });

  const damages: Record<string, (directory: string) => Promise<void>> = {
    "whose sweep.json is lost": (directory) => rm(join(directory, SWEEP_JSON)),
    "whose sweep.json is cut": (directory) =>
      writeFile(join(directory, SWEEP_JSON), '{\n "format"'),
    "whose sweep.json has another digest": async (directory) => {
      const path = join(directory, SWEEP_JSON);
      await writeFile(path, (await readFile(path, "utf8")).replace(/"sha256": "./, '"sha256": "x'));
    },
    "whose cells are lost, and sweep.json cut": async (directory) => {
      await writeFile(join(directory, SWEEP_JSON), "{");
      await rm(join(directory, CELLS), { recursive: true });
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(`foreign: a store ${name} is still ours`, async () => {
      const directory = join(folder, name.replaceAll(/\W/g, "-"));
      await cp(whole, directory, { recursive: true, verbatimSymlinks: true });
      await damage(directory);
      await resumeHere(directory);
      assertSameContents(await contents(directory), await contents(whole));
    });
  }

  test("foreign: its cells alone show that a store is ours", async () => {
    const directory = join(folder, "cells-alone");
    await cp(join(whole, CELLS), join(directory, CELLS), {
      recursive: true,
      verbatimSymlinks: true,
    });
    await plant(directory, { [SWEEP_YAML]: "garbled", [SWEEP_JSON]: "{" });
    assert.equal((await runHere(spec, directory)).tasksRun, 0);
  });

  test("foreign: a spec of ours alone may begin a sweep where it lies", async () => {
    const directory = join(folder, "spec-alone");
    await plant(directory, { [SWEEP_YAML]: SPEC, "notes.txt": "mine" });
    assert.equal((await runHere(join(directory, SWEEP_YAML), directory)).tasksRun, 1);
    assert.equal(await readFile(join(directory, "notes.txt"), "utf8"), "mine");
  });

  test("foreign: an empty folder for cells is not foreign", async () => {
    const directory = join(folder, "empty-cells");
    await mkdir(join(directory, CELLS), { recursive: true });
    assert.equal((await runHere(spec, directory)).tasksRun, 1);
  });

  test("foreign: a link in the place of cells, to a foreign folder or to none, is not written through", async () => {
    const home = join(folder, "home");
    await plant(home, { "letter.txt": "dear" });
    for (const [name, target, found] of [
      ["linked", home, /found a link to .*home, which contains letter\.txt and no cell/],
      ["dangling", join(folder, "unmounted"), /found a link to .*unmounted, which does not exist/],
      ["to-a-file", spec, /found a link to .*spec\.yaml, which is not a folder/],
    ] as const) {
      const directory = join(folder, name);
      await cp(whole, directory, { recursive: true, verbatimSymlinks: true });
      await rm(join(directory, CELLS), { recursive: true });
      await symlink(target, join(directory, CELLS));
      const { code, stderr } = await ftle("resume", directory, "--no-plot");
      assert.equal(code, 2, stderr);
      assert.match(stderr, found);
    }
    assert.deepEqual(await readdir(home), ["letter.txt"]);
  });
});
