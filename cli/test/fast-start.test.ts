import assert from "node:assert/strict";
import { cp, lstat, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import {
  indexText,
  isAllKnown,
  noteCell,
  openIndex,
  readIndex,
} from "../../coordinator/store/index-file.ts";
import { INDEX, JOURNAL, SUMMARY_CSV } from "../../coordinator/store/layout.ts";
import { scanStore } from "../../coordinator/store/scan.ts";
import { digestOf } from "../../shared/identity.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import { makeFolder, removeFolder } from "./support/folder.ts";
import { ftle } from "./support/ftle.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine, filesIn } from "./support/stored.ts";

/** Two networks, two by two tiles. */
const SPEC = `
name: fast
axes: {width: [4, 6], depth: 2}
data: {name: circle, samples: 100}
training: {epochs: 2, batch: 10, snapshots: [0, end]}
field: {points: 32, tile: 16}
`;

/** In a store that was just written, files are too new to be in the index: as if they had been for hours. */
const HOURS = 3_600_000;

describe("fast start", () => {
  let folder: string;
  let whole: string;
  let directory: string;
  let copies = 0;
  const write = process.stderr.write;

  before(async () => {
    folder = await makeFolder();
    whole = join(folder, "whole");
    await writeFile(join(folder, "spec.yaml"), SPEC);
    await runHere(join(folder, "spec.yaml"), whole);
    process.stderr.write = () => true;
  });
  after(async () => {
    process.stderr.write = write;
    await removeFolder(folder);
  });
  beforeEach(async () => {
    directory = join(folder, `copy-${copies++}`);
    await cp(whole, directory, { recursive: true, verbatimSymlinks: true });
    await putIndex();
  });

  /** Reads everything, and notes it in the index. */
  async function putIndex(): Promise<void> {
    const { plan } = await loadStored(directory);
    const index = { ...openIndex(directory, plan), known: new Map() };
    index.settledBefore += HOURS;
    await scanStore(plan, { directory, thorough: true, index });
    assert.equal(index.lines.size, 2);
    const csv = digestOf(await readFile(join(directory, SUMMARY_CSV)));
    const text = indexText(index, plan, { sweep: plan.sweep, csv });
    await writeFile(join(directory, INDEX), text);
  }

  /** As `resume` scans a store: what is damaged, and how many cells the index vouches for. */
  async function scan(): Promise<{ damaged: readonly string[]; known: number }> {
    const { plan } = await loadStored(directory);
    const index = readIndex(directory, plan);
    const { damaged } = await scanStore(plan, { directory, thorough: true, index });
    return { damaged, known: index.lines.size };
  }

  async function ofCells(): Promise<string[]> {
    return (await filesIn(directory)).filter((path) => path.startsWith("cells/"));
  }

  async function flip(path: string): Promise<void> {
    const bytes = await readFile(join(directory, path));
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(join(directory, path), bytes);
  }

  test("fast start: what the index says is what reading everything says", async () => {
    const { plan } = await loadStored(directory);
    assert.equal(readIndex(whole, plan).summary?.sweep, plan.sweep); // written by the run
    const read = await scanStore(plan, { directory, thorough: true });
    for (const thorough of [true, false]) {
      const index = readIndex(directory, plan);
      assert.deepEqual(await scanStore(plan, { directory, thorough, index }), read);
      assert.ok(isAllKnown(index, plan));
    }
  });

  test("fast start: a byte flipped in any file is found, also one touched back to its old time", async () => {
    const paths = await ofCells();
    assert.equal(paths.length, 2 * (1 + 2 * (1 + 1 + 3 * 4)));
    const old = new Date(1e12);
    for (const path of paths) {
      const file = join(directory, path);
      await utimes(file, old, old);
      await putIndex();
      await flip(path);
      await utimes(file, old, old);
      assert.equal((await stat(file)).mtimeMs, 1e12);
      assert.deepEqual(await scan(), { damaged: [path], known: 1 });
      await flip(path);
    }
    assert.deepEqual((await scan()).damaged, []);
  });

  test("fast start: resume restores what was flipped, and knows everything the next time", async () => {
    const expected = await contents(directory);
    const paths = (await ofCells()).filter((path) => /c\.\d\.\d$/.test(path)).slice(0, 2);
    for (const path of paths) await flip(path);
    const { damaged, tasksRun } = await resumeHere(directory);
    assert.deepEqual([...damaged].sort(), paths);
    assert.equal(tasksRun, 2);
    assertSameContents(await contents(directory), expected);
    await putIndex();
    assert.deepEqual(await scan(), { damaged: [], known: 2 });
  });

  test("fast start: a resume that has nothing to do writes nothing", async () => {
    const times = async () => {
      const entries = (await filesIn(directory)).map(async (path) => {
        const { mtimeMs, ino } = await lstat(join(directory, path));
        return [path, mtimeMs, ino];
      });
      return (await Promise.all(entries)).filter(([path]) => path !== JOURNAL);
    };
    const before = await times();
    const { tasksRun, totals } = await resumeHere(directory);
    assert.deepEqual({ tasksRun, ...totals.fields }, { tasksRun: 0, complete: 4, expected: 4 });
    assert.deepEqual(await times(), before);
  });

  test("fast start: a lost summary is written again", async () => {
    const expected = await contents(directory);
    for (const path of ["summary.csv", "summary.json"]) {
      await writeFile(join(directory, path), "");
      assert.deepEqual((await resumeHere(directory)).damaged, [path]);
      assertSameContents(await contents(directory), expected);
    }
  });

  test("fast start: an index that is damaged, cut, empty or of other things is not believed and written again", async () => {
    const file = join(directory, INDEX);
    const text = await readFile(file, "utf8");
    const content = text.slice(0, text.lastIndexOf("sha256:"));
    const sealed = (other: string) => `${other}${digestOf(Buffer.from(other))}\n`;
    assert.equal(sealed(content), text);
    const strange = [
      ...[
        "",
        "\n",
        text.slice(0, -1),
        text.slice(0, 200),
        `${text}\n`,
        text.replace("tiles", "tilez"),
      ],
      ...[sealed(""), sealed("null\n"), sealed("{}\n"), sealed(content.replace("0.1.0", "0.0.9"))],
      sealed(content.replace(/"field":"\w+"/, '"field":"00000000"')),
      sealed(content.replaceAll('"tiles":[16,16]', '"tiles":[0,16]')),
      sealed(content.replaceAll('"tiles":[16,16]', '"tiles":[16]')),
      sealed(content.replaceAll('"snapshot":"end"', '"snapshot":"../../../../etc"')),
      sealed(content.replaceAll(/[{].*\n/g, "no JSON\n")),
    ];
    await writeFile(file, "no index");
    const { code, stdout } = await ftle("status", directory);
    assert.equal(code, 0);
    assert.match(stdout, /^fields +4 of 4 complete$/m);
    for (const other of strange) {
      const isSealed =
        other.length > 0 && sealed(other.slice(0, other.lastIndexOf("sha256:"))) === other;
      const expected = isSealed ? [] : [INDEX];
      assert.notEqual(other, text);
      await writeFile(file, other);
      assert.deepEqual(await scan(), { damaged: expected, known: 0 }, other.slice(0, 80));
      const { damaged, tasksRun } = await resumeHere(directory);
      assert.deepEqual({ damaged, tasksRun }, { damaged: expected, tasksRun: 0 });
      assert.notEqual(await readFile(file, "utf8"), other);
    }
  });

  test("fast start: of a copied store everything is read once, whatever its times", async () => {
    const original = directory;
    directory = join(folder, `copy-${copies++}`);
    const options = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true };
    await cp(original, directory, options);
    assert.deepEqual(await scan(), { damaged: [], known: 0 });
  });

  test("fast start: a file that changed within the last seconds has no place in the index", async () => {
    const { plan } = await loadStored(directory);
    const [path] = await ofCells();
    await flip(path!);
    await flip(path!); // with its old content, and a new time
    const index = openIndex(directory, plan);
    assert.ok(index.settledBefore < (await stat(join(directory, path!))).ctimeMs);
    await scanStore(plan, { directory, thorough: true, index });
    assert.equal(index.lines.size, 1);
  });

  test("fast start: verify reads everything, whatever the index says", async () => {
    const [path] = (await ofCells()).filter((name) => name.endsWith(".safetensors"));
    await flip(path!);
    await noteUnread(); // as if the disk had changed the file: to the file system it looks as it did
    assert.deepEqual(await scan(), { damaged: [], known: 2 });
    assert.deepEqual((await examine(directory)).damaged, [path]);
    const { code, stdout } = await ftle("verify", directory);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^damaged +${path}$`, "m"));
  });

  /** Notes cells in the index as their files look now, with what was found in them before. */
  async function noteUnread(): Promise<void> {
    const { plan } = await loadStored(directory);
    const index = { ...readIndex(directory, plan), settledBefore: Number.POSITIVE_INFINITY };
    const { cells } = await scanStore(plan, { directory, thorough: false });
    for (const { cell, record, fields } of cells) {
      noteCell({ directory, index }, cell, { record: record!, fields });
    }
    await writeFile(join(directory, INDEX), indexText(index, plan, null));
  }
});
