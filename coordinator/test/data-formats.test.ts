import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { decodeContent, encodeContent } from "../../shared/datasets/content.ts";
import { contentOfTable } from "../data/content-of-table.ts";
import { readCsv } from "../data/csv.ts";
import { findData } from "../data/find-data.ts";
import { contentOfIdx, type IdxFiles } from "../data/idx.ts";
import { readNpy, readNpz } from "../data/npy.ts";
import { readParquet } from "../data/parquet.ts";

const bytesOf = (text: string) => Buffer.from(text);
const CLASSES = { targets: "classes" } as const;

test("content: what is encoded is decoded, whatever its types", () => {
  const shape = fc.record({
    samples: fc.integer({ min: 1, max: 9 }),
    width: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(shape, fc.boolean(), fc.boolean(), ({ samples, width }, areBytes, isSplit) => {
      const inputs = areBytes ? new Uint8Array(samples * width) : new Float32Array(samples * width);
      inputs.forEach((_, i) => {
        inputs[i] = i % 200;
      });
      const targets = Float32Array.from({ length: samples }, (_, i) => i % 3);
      const isTest = isSplit ? Uint8Array.from({ length: samples }, (_, i) => i % 2) : null;
      const content = { samples, width, inputs, targets, isTest };
      const decoded = decodeContent(encodeContent(content));
      assert.deepEqual(
        { ...decoded, inputs: [...decoded.inputs] },
        { ...content, inputs: [...inputs] },
      );
    }),
    { seed: 8 },
  );
});

test("csv: quotes, line breaks inside them, tabs and semicolons; places are lines of the file", () => {
  const table = readCsv("t.csv", bytesOf('a,"b ""c"""\n1,"x\ny"\n\n2,z\n'));
  assert.deepEqual(
    table.columns.map(({ name, values }) => [name, ...values]),
    [
      ["a", "1", "2"],
      ['b "c"', "x\ny", "z"],
    ],
  );
  assert.deepEqual([0, 1].map(table.place), ["line 2", "line 5"]);
  for (const separator of ["\t", ";"]) {
    const { columns } = readCsv("t.csv", bytesOf(`a${separator}b\n1${separator}2\n`));
    assert.deepEqual(
      columns.map(({ name }) => name),
      ["a", "b"],
    );
  }
  assert.throws(() => readCsv("t.csv", bytesOf("a,a,\n1,2,3\n")), /`a` again(.|\n)*an empty name/);
  assert.throws(() => readCsv("t.csv", Buffer.from([0x61, 0xff, 0x0a])), /expected UTF-8/);
  assert.throws(() => readCsv("t.csv", bytesOf('a,b\n1,"2\n')), /line \d+: expected CSV/);
});

test("table: classes are in the order of numbers, or of text, and a column says which samples test", () => {
  const csv = "x,k,s\n1,10,train\n2,9,test\n3,-1,0\n4,9,1\n";
  const { content, facts } = contentOfTable("t", readCsv("t", bytesOf(csv)), {
    ...{ inputs: "x", target: "k", split: "s" },
    ...CLASSES,
  });
  assert.deepEqual(facts.classes, ["-1", "9", "10"]);
  assert.deepEqual([...content.targets], [2, 1, 0, 1]);
  assert.deepEqual([...content.isTest!], [0, 1, 0, 1]);
  assert.deepEqual(
    [facts.train, facts.test],
    [
      [1, 0, 1],
      [0, 2, 0],
    ],
  );
});

test("table: all faults at once", () => {
  const table = readCsv("t.csv", bytesOf("x,y,k,s\n1,Infinity,a,maybe\nfoo,2,,1\n"));
  const selection = { target: "k", split: "s", ...CLASSES };
  assert.throws(
    () => contentOfTable("t.csv", table, selection),
    (error: Error) => {
      for (const part of [
        /line 2, column y: expected a finite number, found `Infinity`/,
        /line 3, column x: .* found `foo`/,
        /line 3, column k: expected the name of a class, found nothing/,
        /line 2, column s: expected `train`, `test`, 0 or 1, found `maybe`/,
      ]) {
        assert.match(error.message, part);
      }
      return true;
    },
  );
  assert.throws(
    () => contentOfTable("t.csv", table, { ...CLASSES, target: "q", inputs: ["x", "z"] }),
    /found `q`(.|\n)*found `z`/,
  );
});

test("npy: every type of numbers is read, and what is not one is refused with its type", () => {
  const numbers = [1, 2, 3, 4];
  const arrays = {
    "<f8": Float64Array.from(numbers),
    "<i8": BigInt64Array.from(numbers.map(BigInt)),
    "<u2": Uint16Array.from(numbers),
    "|u1": Uint8Array.from(numbers),
    "|b1": Uint8Array.from([1, 0, 1, 1]),
  };
  for (const [descr, values] of Object.entries(arrays)) {
    const { rows, columns } = readNpy("a.npy", npy(descr, new Uint8Array(values.buffer)));
    assert.equal(rows, 2);
    const expected = Array.from(values as ArrayLike<number | bigint>, Number);
    assert.deepEqual([columns[0]!.values[0], columns[1]!.values[0]], expected.slice(0, 2));
  }
  const refused: [Uint8Array, RegExp][] = [
    [npy("<U5", new Uint8Array(80)), /dtype: expected numbers .*, found <U5/],
    [npy(">f8", new Uint8Array(32)), /found >f8/],
    [npy("<f8", new Uint8Array(31)), /expected 160 bytes for shape \(2, 2\), found 159/],
    [npy("<f8", new Uint8Array(32), "True"), /C order/],
    [bytesOf("hello, I am no array"), /expected an NPY file/],
  ];
  for (const [bytes, message] of refused) assert.throws(() => readNpy("a.npy", bytes), message);
  assert.throws(() => readNpz("a.npz", bytesOf("no zip")), /expected an NPZ file/);
});

test("parquet: what is none is refused", async () => {
  await assert.rejects(
    readParquet("a.parquet", bytesOf("PAR1 but not really PAR1")),
    /expected a Parquet file/,
  );
});

test("idx: compressed or not, samples and counts; every file's fault at once", () => {
  const whole: IdxFiles = {
    trainImages: gzipSync(images(3)),
    trainLabels: labels([0, 1, 9]),
    testImages: images(2),
    testLabels: gzipSync(labels([1, 1])),
  };
  const { content, facts } = contentOfIdx("digits", whole);
  assert.deepEqual([content.samples, content.width, facts.train[9], facts.test[1]], [5, 784, 1, 2]);
  assert.deepEqual([...content.isTest!], [0, 0, 0, 1, 1]);
  assert.equal(content.inputs[784 + 5], 6);
  const faulty = {
    trainImages: images(3).subarray(0, -1),
    trainLabels: images(1),
    testImages: gzipSync(images(2)).subarray(0, 20),
    testLabels: new Uint8Array(3),
  };
  assert.throws(
    () => contentOfIdx("digits", faulty),
    (error: Error) => {
      for (const part of [
        /train-images-idx3-ubyte, byte 2367: expected 2368 bytes, as its header says, found 2367/,
        /train-labels-idx1-ubyte, byte 0: expected the magic number 0x00000801, found 0x00000803/,
        /t10k-images-idx3-ubyte, as gzip: expected a whole file/,
        /t10k-labels-idx1-ubyte, byte 0: expected a header of 8 bytes, found 3/,
      ]) {
        assert.match(error.message, part);
      }
      return true;
    },
  );
  const outOfRange = { ...whole, testLabels: labels([1, 12]) };
  assert.throws(
    () => contentOfIdx("digits", outOfRange),
    /t10k-labels\S+, byte 9: expected a label from 0 to 9, found 12/,
  );
  const fewer = { ...whole, trainLabels: labels([0, 1]) };
  assert.throws(() => contentOfIdx("digits", fewer), /expected 3 labels, one an image, found 2/);
});

/** Of 2 × 2 numbers. */
function npy(descr: string, content: Uint8Array, fortran = "False"): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': (2, 2), }`;
  return Buffer.concat([
    Buffer.from(`\x93NUMPY\x01\x00\x76\x00${text.padEnd(117)}\n`, "latin1"),
    content,
  ]);
}

function images(count: number): Buffer {
  const bytes = Buffer.alloc(16 + 784 * count);
  for (const [i, word] of [0x803, count, 28, 28].entries()) bytes.writeUInt32BE(word, 4 * i);
  for (let i = 0; i < 784 * count; i++) bytes[16 + i] = (i % 784) + Math.floor(i / 784);
  return bytes;
}

function labels(given: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + given.length);
  for (const [i, word] of [0x801, given.length].entries()) bytes.writeUInt32BE(word, 4 * i);
  bytes.set(given, 8);
  return bytes;
}

test("find data: beside the spec, or where --data says; what was looked for is named", () => {
  const root = mkdtempSync(join(tmpdir(), "ftle-find-"));
  try {
    const [spec, moved] = [join(root, "spec"), join(root, "moved")];
    mkdirSync(join(spec, "sub"), { recursive: true });
    mkdirSync(moved);
    const beside = join(spec, "sub", "a.csv");
    writeFileSync(beside, "");
    assert.equal(findData("file", "sub/a.csv", { folder: spec }), beside);
    assert.equal(findData("file", beside, { folder: root }), beside);
    assert.throws(
      () => findData("file", "sub/b.csv", { folder: spec, moved }),
      /moved\/sub\/b\.csv or \S+moved\/b\.csv or \S+spec\/sub\/b\.csv, found nothing/,
    );
    writeFileSync(join(moved, "b.csv"), "");
    for (const where of [moved, join(moved, "b.csv")]) {
      assert.equal(
        findData("file", "sub/b.csv", { folder: spec, moved: where }),
        join(moved, "b.csv"),
      );
    }
    assert.equal(findData("mnist", "digits", { folder: spec, moved }), moved);
  } finally {
    rmSync(root, { recursive: true });
  }
});
