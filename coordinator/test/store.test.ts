import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { decodeWeights, encodeWeights } from "../../shared/safetensors.ts";
import { readCellRecord } from "../store/cell-record.ts";
import { crc32c } from "../store/crc32c.ts";
import { fieldMetadata } from "../store/field-metadata.ts";
import type { FieldDescription } from "../store/field-zarr.ts";
import { chunkBytes, readAttributes, readFieldArray, tileFiles } from "../store/field-zarr.ts";
import { acquireLock, lockOwner } from "../store/lock.ts";
import { seal, sealJson, unsealJson } from "../store/sealed-json.ts";
import { writeFiles } from "../store/write-files.ts";
import { isChunkIntact } from "../store/zarr-crc32c.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-store-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("crc32c: gives the check values of RFC 3720, B.4", () => {
  const bytes = (f: (i: number) => number) => Uint8Array.from({ length: 32 }, (_, i) => f(i));
  assert.equal(crc32c(bytes(() => 0)), 0x8a9136aa);
  assert.equal(crc32c(bytes(() => 0xff)), 0x62a8ab43);
  assert.equal(crc32c(bytes((i) => i)), 0x46dd794e);
  assert.equal(crc32c(bytes((i) => 31 - i)), 0x113fdb5c);
  assert.equal(crc32c(Buffer.from("123456789")), 0xe3069283);
});

test("sealed JSON: is read back unchanged", () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(value, (content) => {
      const { sha256: _, ...rest } = content;
      const json = JSON.parse(JSON.stringify(rest));
      assert.deepEqual(unsealJson(sealJson(json)), json);
    }),
    { seed: 1 },
  );
});

test("sealed JSON: every flipped byte and every truncation is detected", () => {
  const text = sealJson({ a: [1, 2.5, "µ"], b: { c: null }, d: "x  y" });
  const bytes = Buffer.from(text);
  for (let i = 0; i < bytes.length; i++) {
    for (const flip of [1, 0x20, 0x80]) {
      const flipped = Buffer.from(bytes);
      flipped[i]! ^= flip;
      assert.equal(unsealJson(flipped.toString()), null, `byte ${i} ^ ${flip}`);
    }
    assert.equal(unsealJson(bytes.subarray(0, i).toString()), null, `cut at ${i}`);
  }
});

test("sealed JSON: what is read back spells and seals to the text that was read; any changed byte is detected", () => {
  const value = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
  const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(value, fc.array(change, { minLength: 20 }), ({ sha256: _, ...rest }, changes) => {
      const text = sealJson(rest);
      const { sha256, ...content } = JSON.parse(text); // as a reader of any JSON sees it
      assert.deepEqual(unsealJson(text), content);
      assert.equal(seal(content).sha256, sha256);
      assert.equal(sealJson(unsealJson(text)!), text);
      const bytes = Buffer.from(text);
      for (const [at, flip] of changes) {
        const changed = Buffer.from(bytes);
        changed[at % bytes.length]! ^= flip;
        assert.equal(unsealJson(changed.toString()), null);
      }
    }),
    { seed: 3 },
  );
});

test("sealed JSON: a digest of one's own that is not of the text before it, or of no map, seals nothing", () => {
  const text = sealJson({ a: 1 });
  for (const other of [`${text}\n`, ` ${text}`, text.replace('"a": 1,', '"a": 1, '), "", "{}\n"]) {
    assert.equal(unsealJson(other), null);
  }
  const sha256 = createHash("sha256").update("[1\n}\n").digest("hex");
  assert.equal(unsealJson(`[1,\n "sha256": "${sha256}"\n}\n`), null);
});

test("cell record: one with any member of a wrong kind is none", () => {
  const numbers = { trainLoss: [1, null], trainAccuracy: [0.5], testLoss: [1], testAccuracy: [1] };
  const record = {
    format: 1,
    cell: "0123456789abcdef",
    physics: { engine: "e", network: { hidden: [3, 3] } },
    status: "trained",
    reason: "",
    epochs: 1,
    history: numbers,
    weights: [{ snapshot: "end", epoch: 1, digest: "sha256:", bytes: 8 }],
    provenance: { seconds: 0.5 },
    fields: [{ snapshot: 3, field: "0123abcd", statistics: {} }],
  };
  const read = (text: string) => readCellRecord(sealJson(JSON.parse(text)));
  const text = JSON.stringify(record);
  assert.deepEqual(read(text), record);
  const values = text.matchAll(/(?<=[:[,])("[^"]*"(?!:)|[\d.]+|\{\}|null)(?=[,}\]])/g);
  let wrong = 0;
  for (const { index, 0: value } of values) {
    if (value === "1" && text.slice(0, index).endsWith('"format":')) continue;
    const other = `${text.slice(0, index)}{"x":1}${text.slice(index + value.length)}`;
    if (value === "{}") continue;
    assert.equal(read(other), null, other);
    wrong++;
  }
  assert.equal(wrong, 19);
  for (const [from, to] of [
    ["[3,3]", "[]"],
    ["[3,3]", "[3,0]"],
    ['"epochs":1', '"epochs":1.5'],
    ['"bytes":8', '"bytes":0'],
    ["0.5}", "1e999}"],
    ['"snapshot":3', '"snapshot":"start"'],
    ["0123abcd", "../../up"],
    ['"statistics":{}', '"statistics":[]'],
  ] as const) {
    assert.notEqual(text.replace(from, to), text);
    assert.equal(read(text.replace(from, to)), null, to);
  }
});

test("safetensors: weights of either precision are read back bit for bit, aligned to eight bytes", () => {
  const shapes = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean()), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(shapes, fc.integer(), (layers, salt) => {
      const weights = layers.map(([out, isDouble], l) => {
        const values = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(salt + i + l));
        const make = (n: number) =>
          isDouble ? Float64Array.from(values(n)) : Float32Array.from(values(n));
        return { weight: make(3 * out), bias: make(out) };
      });
      const bytes = encodeWeights(weights, { cell: "c" });
      assert.equal(new DataView(bytes.buffer).getUint32(0, true) % 8, 0);
      assert.deepEqual(decodeWeights(bytes), weights);
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      assert.deepEqual(decodeWeights(shifted.subarray(1)), weights);
      assert.deepEqual(decodeWeights(Buffer.from(bytes)), weights);
    }),
    { seed: 2 },
  );
});

test("safetensors: truncated bytes are refused", () => {
  const bytes = encodeWeights([{ weight: new Float32Array(4), bias: new Float32Array(2) }], {});
  for (const length of [bytes.length - 1, 9]) {
    assert.throws(() => decodeWeights(bytes.subarray(0, length)), RangeError);
  }
});

const FIELD: FieldDescription = {
  cell: "0123456789abcdef",
  snapshot: "end",
  weights: `sha256:${"a".repeat(64)}`,
  grid: { region: { x: [-1, 1], y: [0, 3] }, points: 20, layers: "last" },
  depth: 3,
  tile: 16,
};

for (const layers of ["last", "all"] as const) {
  test(`field: tiles of a ragged grid with layers ${layers} are read back in their places`, async () => {
    await inFolder(async (folder) => {
      const field = { ...FIELD, grid: { ...FIELD.grid, layers } };
      const depth = layers === "all" ? 3 : 1;
      const value = (l: number, row: number, column: number) => 10000 * l + 100 * row + column;
      await writeFiles(folder, await fieldMetadata(field));
      for (const row of [0, 16]) {
        for (const column of [0, 16]) {
          const [rows, columns] = [Math.min(16, 20 - row), Math.min(16, 20 - column)];
          const fill = (count: number) =>
            Float32Array.from({ length: count * rows * columns }, (_, i) => {
              const [l, rest] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
              return value(l, row + Math.floor(rest / columns), column + (rest % columns));
            });
          const result = { lambda1: fill(depth), direction: fill(depth), output: fill(1) };
          const files = tileFiles(field, { row, column, rows, columns }, result);
          assert.equal(files.size, 3);
          for (const [path, bytes] of files) {
            assert.equal(bytes.length, chunkBytes(field, path.split("/")[0] as "lambda1"));
            assert.ok(isChunkIntact(bytes));
          }
          await writeFiles(folder, files);
        }
      }
      for (const [name, count] of [
        ["lambda1", depth],
        ["output", 1],
      ] as const) {
        const stored = await readFieldArray(folder, name);
        const expected = Float32Array.from({ length: count * 400 }, (_, i) =>
          value(Math.floor(i / 400), Math.floor((i % 400) / 20), i % 20),
        );
        assert.deepEqual(stored, expected);
      }
    });
  });
}

test("field: tiles not stored read as NaN, and a damaged chunk cannot be read", async () => {
  await inFolder(async (folder) => {
    await writeFiles(folder, await fieldMetadata(FIELD));
    assert.ok((await readFieldArray(folder, "lambda1")).every(Number.isNaN));
    const ones = new Float32Array(256).fill(1);
    const tile = { row: 0, column: 0, rows: 16, columns: 16 };
    const files = tileFiles(FIELD, tile, { lambda1: ones, direction: ones, output: ones });
    files.get("lambda1/c.0.0")![7]! ^= 4;
    await writeFiles(folder, files);
    await assert.rejects(readFieldArray(folder, "lambda1"));
    assert.equal((await readFieldArray(folder, "output"))[0], 1);
  });
});

test("field: its group records tile and weights, and a changed byte of them is detected", async () => {
  const group = (await fieldMetadata(FIELD)).get("zarr.json")!;
  assert.deepEqual(readAttributes(group), { tile: 16, weights: FIELD.weights });
  const at = Buffer.from(group).indexOf(FIELD.weights) + 20;
  const damaged = Buffer.from(group);
  damaged[at] = "b".charCodeAt(0);
  assert.equal(readAttributes(damaged), null);
});

test("files: appear whole, replace what was there, and leave no temporary files", async () => {
  await inFolder(async (folder) => {
    await writeFiles(folder, [["a/b/c.txt", "one"]]);
    await writeFiles(folder, [
      ["a/b/c.txt", "two"],
      ["d.txt", new Uint8Array([1, 2])],
    ]);
    assert.equal(await readFile(join(folder, "a/b/c.txt"), "utf8"), "two");
    assert.deepEqual(await readdir(join(folder, ".ftle-tmp")), []);
  });
});

test("files: two that go into the same new folder at the same time both arrive", async () => {
  await inFolder(async (folder) => {
    const names = Array.from({ length: 20 }, (_, i) => `dead/${i % 3}/${i}.json`);
    await Promise.all(names.map((name) => writeFiles(folder, [[name, name]])));
    for (const name of names) assert.equal(await readFile(join(folder, name), "utf8"), name);
    assert.deepEqual(await readdir(join(folder, ".ftle-tmp")), []);
  });
});

test("files: when one cannot be written none is left behind, and the error names it", async () => {
  await inFolder(async (folder) => {
    await writeFile(join(folder, "file"), "");
    const files = [
      ["good.txt", "x"],
      ["file/bad.txt", "y"],
      ["as-good.txt", "z"],
    ] as const;
    const path = join(folder, "file");
    await assert.rejects(writeFiles(folder, files), { name: "StoreError", path });
    assert.deepEqual((await readdir(folder)).sort(), [".ftle-tmp", "file"]);
    assert.deepEqual(await readdir(join(folder, ".ftle-tmp")), []);
  });
});

test("lock: one holder at a time, named to the others, free after release", async () => {
  await inFolder(async (folder) => {
    const lock = await acquireLock(folder);
    await assert.rejects(acquireLock(folder), {
      name: "LockedError",
      message: new RegExp(`process ${process.pid} `),
    });
    assert.equal((await lockOwner(folder))?.pid, process.pid);
    await lock.release();
    assert.equal(await lockOwner(folder), null);
    await (await acquireLock(folder)).release();
  });
});

test("lock: of many processes that try at once exactly one gets it", async () => {
  await inFolder(async (folder) => {
    for (let round = 0; round < 20; round++) {
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => acquireLock(folder)));
      const won = tries.filter((attempt) => attempt.status === "fulfilled");
      assert.equal(won.length, 1);
      await won[0]!.value.release();
    }
  });
});

test("lock: one of a dead process is taken over, even if a later process has the same id", async () => {
  await inFolder(async (folder) => {
    const { pid } = process;
    const { hostname } = await import("node:os");
    const dead = { pid, host: hostname(), started: "1", since: "2020-01-01T00:00:00Z" };
    await writeFile(join(folder, "lock.7"), JSON.stringify(dead));
    const lock = await acquireLock(folder);
    assert.deepEqual(await readdir(folder), ["lock.8"]);
    await lock.release();
  });
});
