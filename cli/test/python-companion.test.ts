/** The Python package in python/, by its own tests, which run this program; and the notebook among the examples. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { tooLong } from "../../shared/testing/long.ts";
import { runPython, withoutPython } from "../../shared/testing/python.ts";
import { LOADER, moduleFile, repositoryFile } from "../../shared/testing/repository.ts";

interface PythonTest {
  /** As pytest names it, such as `tests/test_open.py::test_labels_select_one_network`. */
  readonly test: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** The traceback, or why it is skipped. */
  readonly detail: string;
}

test("The Python package", { skip: tooLong || withoutPython }, async (t) => {
  // Python's tests start the program from folders of their own, where Node would not find the loader by its name.
  const loader = LOADER.length === 0 ? [] : ["--import", import.meta.resolve("tsx")];
  const program = [process.execPath, ...loader, fileURLToPath(moduleFile("cli/main"))];
  process.env.FTLE_PROGRAM = program.map((word) => `'${word}'`).join(" ");
  process.env.PYTHONDONTWRITEBYTECODE = "1";
  const project = fileURLToPath(repositoryFile("python/"));
  const report = repositoryFile("python/tests/report.py");
  const found: PythonTest[] = JSON.parse(await runPython(report, `--rootdir=${project}`, project));
  assert.ok(found.some(({ outcome }) => outcome === "passed"));
  for (const { test: name, outcome, detail } of found) {
    await t.test(name, { skip: outcome === "skipped" && detail }, () => {
      if (outcome === "failed") assert.fail(detail);
    });
  }
});
