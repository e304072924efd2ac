import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readCellRecord, writeCellRecord } from "../../coordinator/store/cell-record.ts";
import { cellFolder, cellJson, fieldFolder, weightsFile } from "../../coordinator/store/layout.ts";
import { wayInto } from "../../coordinator/store/put-aside.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { fewOrAll } from "../../shared/testing/long.ts";
import { makeFolder, removeFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine, filesIn } from "./support/stored.ts";

/** Two networks, two by two tiles. */
const SPEC = `
name: strange
axes: {width: [4, 6], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 2, batch: 10}
field: {points: 32, tile: 16}
`;

const TOO_LARGE = 5 * 2 ** 30;

describe("stranger", { concurrency: 2 }, () => {
  let folder: string;
  let whole: string;
  let cell: string;
  let field: string;
  let grid: string;
  const write = process.stderr.write;

  before(async () => {
    folder = await makeFolder();
    whole = join(folder, "whole");
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    await writeFile(join(folder, "elsewhere.txt"), "theirs");
    await mkdir(join(folder, "elsewhere"));
    await runHere(spec, whole);
    assert.equal((await ftle("resume", whole)).code, 0); // with its figures
    for await (const record of readRecords(whole)) {
      cell = record.cell;
      field = fieldFolder(cell, "end", record.fields[0]!.field);
    }
    grid = `grids/${(await readdir(join(whole, "grids")))[0]}`;
    process.stderr.write = () => true;
  });
  after(async () => {
    process.stderr.write = write;
    await removeFolder(folder);
  });

  async function copy(name: string): Promise<string> {
    const directory = join(folder, name.replaceAll(/\W/g, "-"));
    await cp(whole, directory, { recursive: true, verbatimSymlinks: true });
    return directory;
  }

  /** What may lie where a file or folder of ours should. No one ever reads the pipe. */
  const things: Record<string, (path: string) => Promise<void>> = {
    "a link to a file elsewhere": (path) => symlink(join(folder, "elsewhere.txt"), path),
    "a link to a folder elsewhere": (path) => symlink(join(folder, "elsewhere"), path),
    "a link to nothing": (path) => symlink(join(folder, "nothing"), path),
    "a link to itself": (path) => symlink(path, path),
    "a pipe": async (path) => {
      assert.equal(spawnSync("mkfifo", [path]).status, 0);
    },
    "a socket": (path) =>
      new Promise((resolve, reject) => {
        const server = createServer().on("error", reject);
        const beside = join(folder, `s${path.length}`); // a socket's own path must be short
        server.listen(beside, async () => {
          await rename(beside, path);
          server.close(() => resolve());
        });
      }),
  };
  const ofFile = {
    ...things,
    "a folder": async (path: string) => {
      await mkdir(path);
      await writeFile(join(path, "theirs.txt"), "theirs");
    },
    "a file of 5 GiB": async (path: string) => {
      await writeFile(path, "");
      await truncate(path, TOO_LARGE);
    },
  };
  const ofFolder: typeof things = {
    ...things,
    "a file": (path: string) => writeFile(path, "theirs"),
  };

  /** Puts a thing in the place of each path, and checks that commands see, name and repair it. */
  async function assertMended(
    directory: string,
    paths: readonly string[],
    put: (path: string) => Promise<void>,
  ): Promise<void> {
    const expected = await contents(whole);
    for (const path of paths) {
      const place = join(directory, path);
      await rm(place, { recursive: true });
      await put(place);
      const { ino } = await lstat(place);
      const { damaged: found } = await examine(directory);
      const { damaged } = await resumeHere(directory);
      const named = [path, `${path}/`];
      assert.ok(
        found.some((name) => named.includes(name)),
        `${path} not in ${found}`,
      );
      assert.ok(
        damaged.some((name) => named.includes(name)),
        `${path} not in ${damaged}`,
      );
      const aside = `${place}.not-ours`;
      assert.equal((await lstat(aside)).ino, ino, path);
      await rm(aside, { recursive: true });
      assertSameContents(await contents(directory), expected);
      assert.deepEqual((await examine(directory)).damaged, []);
    }
    assert.equal(await readFile(join(folder, "elsewhere.txt"), "utf8"), "theirs");
    assert.deepEqual(await readdir(join(folder, "elsewhere")), []);
  }

  for (const [thing, [name, put]] of Object.entries(ofFile).entries()) {
    test(`stranger: ${name} in place of a file of ours is named, put aside, and the file restored`, async () => {
      const directory = await copy(`file ${name}`);
      const paths = [
        ...["sweep.json", "sweep.yaml", "summary.csv", "summary.json"],
        ...[cellJson(cell), weightsFile(cell, "end")],
        ...["zarr.json", "lambda1/zarr.json", "lambda1/c.0.1", "y"].map((of) => `${field}/${of}`),
        `${grid}/x/c.0`,
      ];
      await assertMended(directory, fewOrAll(everyFourth(paths, thing), paths), put);
    });
  }

  for (const [thing, [name, put]] of Object.entries(ofFolder).entries()) {
    test(`stranger: ${name} in place of a folder of ours is named, put aside, and the folder restored`, async () => {
      const directory = await copy(`folder ${name}`);
      const paths = [cellFolder(cell), field, `${field}/output`, `${grid}/y`, "grids"];
      await assertMended(directory, fewOrAll(everyFourth(paths, thing), paths), put);
    });
  }

  for (const name of ["a file", "a pipe", "a socket"]) {
    test(`stranger: ${name} in place of all cells is named, put aside, and the cells restored`, async () => {
      await assertMended(await copy(`cells ${name}`), ["cells"], ofFolder[name]!);
    });
  }

  test("stranger: whatever lies in the place of journal and figures, nothing is written through it", async () => {
    const elsewhere = join(folder, "outside");
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, "journal"), "theirs");
    const directory = await copy("top");
    for (const name of ["journal.jsonl", "figures", "export", "dead", ".ftle-tmp"]) {
      await rm(join(directory, name), { recursive: true, force: true });
    }
    await symlink(join(elsewhere, "journal"), join(directory, "journal.jsonl"));
    for (const name of ["figures", "export", "dead", ".ftle-tmp"]) {
      await symlink(elsewhere, join(directory, name));
    }
    await rm(join(directory, weightsFile(cell, "end")));
    assert.equal((await ftle("resume", directory)).code, 0);
    assert.equal((await ftle("retry", directory, "--no-plot")).code, 0);
    assert.equal((await ftle("plot", directory)).code, 0);
    assert.equal((await ftle("export", directory, "--format", "csv")).code, 0);
    assert.deepEqual(await readdir(elsewhere), ["journal"]);
    assert.equal(await readFile(join(elsewhere, "journal"), "utf8"), "theirs");
    assert.ok((await lstat(join(directory, "figures"))).isDirectory());
  });

  test("stranger: a dead letter that is not one is put aside, and its task run again", async () => {
    const directory = await copy("letter");
    const letter = `dead/train-${cell}.json`;
    await rm(join(directory, cellFolder(cell)), { recursive: true });
    await mkdir(join(directory, "dead"));
    await things["a pipe"]!(join(directory, letter));
    assert.deepEqual((await examine(directory)).damaged, [letter]);
    const { damaged, tasksRun } = await resumeHere(directory);
    assert.deepEqual({ damaged, tasksRun }, { damaged: [letter], tasksRun: 5 });
    await rm(join(directory, `${letter}.not-ours`));
    assertSameContents(await contents(directory), await contents(whole));
  });

  test("stranger: commands that only read do not wait for a pipe", async () => {
    const directory = await copy("read");
    for (const path of [cellJson(cell), `${field}/lambda1/c.0.0`, "summary.json"]) {
      await rm(join(directory, path));
      await things["a pipe"]!(join(directory, path));
    }
    for (const args of [
      ["status", directory],
      ["plot", directory, "--out", join(folder, "plotted")],
      ["export", directory, "--format", "zarr", "--out", join(folder, "lattice.zarr")],
      ["why", directory, cell],
      ["plan", join(folder, "spec.yaml"), "--against", directory],
    ]) {
      const { code, stderr } = await ftle(...args);
      assert.equal(code, 0, `${args[0]}: ${stderr}`);
    }
    const { code, stdout } = await ftle("verify", directory);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^damaged +${cellJson(cell)}$`, "m"));
  });

  test("stranger: a sealed record with invalid content leads nowhere", async () => {
    const directory = await copy("sealed");
    const outside = join(folder, "led-out");
    const record = readCellRecord(await readFile(join(directory, cellJson(cell)), "utf8"))!;
    const [weights] = record.weights;
    const snapshot = `../../../../${outside.slice(1)}` as "end";
    for (const wrong of [
      { ...record, weights: [{ ...weights!, snapshot }] },
      { ...record, weights: null },
      { ...record, fields: [{ ...record.fields[0]!, field: "../../x" }] },
    ]) {
      const text = writeCellRecord(wrong as typeof record);
      assert.equal(readCellRecord(text), null);
      await writeFile(join(directory, cellJson(cell)), text);
      assert.deepEqual((await resumeHere(directory)).damaged, [cellJson(cell)]);
    }
    // Beside it, other tests write meanwhile.
    const found = [...(await readdir(folder)), ...(await filesIn(directory))];
    assert.deepEqual(
      found.filter((path) => path.includes("led-out")),
      [],
    );
  });

  test("stranger: nothing is written at a path that leads out of the directory", async () => {
    const way = wayInto(join(folder, "whole"));
    for (const path of ["../x", "cells/../../x", "/x", "cells//x", "cells/.."]) {
      assert.throws(() => way.clear(path), /expected a path within/, path);
    }
    assert.deepEqual(await readdir(dirname(whole)).then((names) => names.includes("x")), false);
  });

  test("stranger: what is put aside a second time does not replace the first", async () => {
    const directory = await copy("twice");
    const path = cellJson(cell);
    for (const name of ["", "-2", "-3"]) {
      await rm(join(directory, path));
      await mkdir(join(directory, path));
      await resumeHere(directory);
      assert.ok((await lstat(join(directory, `${path}.not-ours${name}`))).isDirectory());
    }
  });
});

/** Some of them, others for each `from`. */
function everyFourth(paths: readonly string[], from: number): string[] {
  return paths.filter((_, i) => i % 4 === from % 4);
}
