import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readSweep } from "../spec/read-sweep.ts";
import { SpecError } from "../spec/spec-error.ts";

const folder = await mkdtemp(join(tmpdir(), "ftle-spec-"));
after(() => rm(folder, { recursive: true }));

const SPEC = "axes: {width: 10, depth: 2}\n";

test("spec file: its text and its sweep are read, and it names the sweep", async () => {
  const { text, sweep } = await readSweep(await file("small.yaml", SPEC));
  assert.equal(text, SPEC);
  assert.equal(sweep.name, "small");
});

test("spec file: a byte order mark does not shift the first line", async () => {
  const path = await file("mark.yaml", "\ufeffaxes: {width: 0, depth: 2}\n");
  const [fault] = await faultsOf(path);
  assert.deepEqual([fault!.line, fault!.column], [1, 15]);
});

test("spec file: faults are thrown as one error that names the file", async () => {
  const path = await file("faulty.yaml", "axes: {width: 0, depth: 0}\n");
  assert.equal((await faultsOf(path)).length, 2);
});

const UNREADABLE: readonly [what: string, path: () => Promise<string> | string, found: RegExp][] = [
  ["a missing file", () => join(folder, "missing.yaml"), /^no such file$/],
  ["a directory", () => folder, /^a directory$/],
  ["an empty file", () => file("empty.yaml", ""), /^an empty file$/],
  ["a picture", () => file("image.yaml", Buffer.from([0x89, 0x50, 0xff])), /not UTF-8/],
  ["a file above 1 MiB", () => file("big.yaml", "#".repeat(2 ** 20 + 1)), /^1048577 bytes$/],
];

for (const [what, path, found] of UNREADABLE) {
  test(`spec file: ${what} is refused`, async () => {
    const [fault, ...rest] = await faultsOf(await path());
    assert.equal(rest.length, 0);
    assert.equal(fault!.expected, "a YAML file (UTF-8, at most 1 MiB)");
    assert.match(fault!.found, found);
  });
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function faultsOf(path: string) {
  const error = await readSweep(path).then(
    () => assert.fail("expected faults"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof SpecError);
  assert.equal(error.file, path);
  return error.faults;
}
