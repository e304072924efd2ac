import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { StoreError, UsageError } from "../../shared/errors.ts";
import { writeWhole } from "../results/export/write-whole.ts";

let root: string;
let folder: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), "ftle-whole-"));
});
beforeEach(async () => {
  folder = await mkdtemp(join(root, "test-"));
});
after(async () => {
  await rm(root, { recursive: true, force: true });
});

const file = (content: string) => (path: string) => writeFile(path, content);
const group = (content: string) => async (path: string) => {
  await mkdir(path);
  await writeFile(join(path, "zarr.json"), content);
};

test("writeWhole: makes a file and the folders it lies in", async () => {
  const target = join(folder, "a", "b.csv");
  await writeWhole(target, { kind: "file", force: false }, file("new"));
  assert.equal(await readFile(target, "utf8"), "new");
  assert.deepEqual(await readdir(join(folder, "a")), ["b.csv"]);
});

test("writeWhole: refuses an existing target, and says what to do", async () => {
  const target = join(folder, "a.csv");
  await writeFile(target, "old");
  await assert.rejects(
    writeWhole(target, { kind: "file", force: false }, file("new")),
    (error) => error instanceof UsageError && /found a file; .*--out.*--force/.test(error.message),
  );
  assert.equal(await readFile(target, "utf8"), "old");
});

test("writeWhole: with force replaces a file, and a whole group, and leaves nothing else behind", async () => {
  const csv = join(folder, "a.csv");
  const zarr = join(folder, "b.zarr");
  await writeFile(csv, "old");
  await group("old")(zarr);
  await writeFile(join(zarr, "left-over"), "");
  await writeWhole(csv, { kind: "file", force: true }, file("new"));
  await writeWhole(`${zarr}/`, { kind: "group", force: true }, group("new"));
  assert.equal(await readFile(csv, "utf8"), "new");
  assert.equal(await readFile(join(zarr, "zarr.json"), "utf8"), "new");
  assert.deepEqual(await readdir(zarr), ["zarr.json"]);
  assert.deepEqual(await readdir(folder), ["a.csv", "b.zarr"]);
});

test("writeWhole: even with force does not replace what is not an export", async () => {
  const papers = join(folder, "papers");
  await mkdir(papers);
  await writeFile(join(papers, "thesis.tex"), "");
  for (const kind of ["file", "group"] as const) {
    await assert.rejects(
      writeWhole(papers, { kind, force: true }, kind === "file" ? file("") : group("")),
      UsageError,
    );
  }
  assert.deepEqual(await readdir(papers), ["thesis.tex"]);
});

test("writeWhole: leaves the target as it was when writing fails", async () => {
  const target = join(folder, "a.csv");
  await writeFile(target, "old");
  const failing = async (path: string) => {
    await writeFile(path, "half");
    throw new Error("stopped");
  };
  const options = { kind: "file", force: true } as const;
  await assert.rejects(writeWhole(target, options, failing), /stopped/);
  assert.equal(await readFile(target, "utf8"), "old");
  assert.deepEqual(await readdir(folder), ["a.csv"]);
});

test("writeWhole: a path that cannot be written is a StoreError", async () => {
  await writeFile(join(folder, "file"), "");
  const target = join(folder, "file", "a.csv");
  await assert.rejects(writeWhole(target, { kind: "file", force: false }, file("")), StoreError);
});
