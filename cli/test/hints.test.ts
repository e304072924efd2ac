import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { weightsFile } from "../../coordinator/store/layout.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { shellPath, shownPath } from "../terminal/format.ts";
import { inFolder } from "./support/folder.ts";

const SPEC = `
axes: {width: 2, depth: 1}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: {points: 16}
`;

/** Runs a line of shell in a folder, in which `ftle` is the program. */
function shell(folder: string, line: string) {
  const main = fileURLToPath(moduleFile("cli/main"));
  // Node looks for a loader from where it is started, which is elsewhere here.
  const loader = LOADER.map((word) => (word === "tsx" ? import.meta.resolve(word) : word));
  const words = [process.execPath, ...loader].join(" ");
  const program = `ftle() { ${words} '${main}' "$@"; }`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", `${program}\n${line}`], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(status, 0, `${line}\n${stderr}`);
  return stdout;
}

test("hints: paths are shown without detours, and none looks like an option", () => {
  assert.equal(shownPath("./-dash2//", "summary.csv"), "./-dash2/summary.csv");
  assert.equal(shownPath("-dash", "dead"), "./-dash/dead");
  assert.equal(shownPath("./a/../b/", "x"), "b/x");
  assert.equal(shownPath("/a//-b"), "/a/-b");
  assert.equal(shellPath("-dash"), "./-dash");
  assert.equal(shellPath("-it's me"), "'./-it'\\''s me'");
});

for (const name of ["-dash//", "two words", '-it\'s "quoted"', "$(touch evil) `x`; #", "größe"]) {
  test(`hints: what is printed about the directory ${name} works when it is pasted`, async () => {
    await inFolder(async (folder) => {
      await writeFile(join(folder, "spec.yaml"), SPEC);
      const run = ["run", "spec.yaml", "--out", name].map(
        (word) => `'${word.replaceAll("'", "'\\''")}'`,
      );
      const said = shell(folder, `ftle ${run.join(" ")}`);
      for (const [, path] of said.matchAll(/^(?:Table|Figure) +(.*)$/gm)) {
        assert.match(shell(folder, `ls ${shellPath(path!)}`), /summary|lambda/);
        assert.doesNotMatch(path!, /^-|\/\//);
      }
      for await (const { cell } of readRecords(join(folder, name))) {
        await rm(join(folder, name, weightsFile(cell, "end")));
      }
      const hint = /^Go on with: (ftle resume .*)$/m.exec(
        shell(folder, `ftle status ${shellPath(name)}`),
      );
      assert.match(shell(folder, `${hint![1]} --no-plot`), /1 trained/);
    });
  });
}
