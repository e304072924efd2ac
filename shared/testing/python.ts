import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "./repository.ts";

const interpreter =
  process.env.FTLE_TEST_PYTHON ?? fileURLToPath(repositoryFile(".venv/bin/python"));

const MISSING = `no Python at ${interpreter}: install it with \`npm run test:python-env\`, or set FTLE_TEST_PYTHON to another`;

/** Why tests that need Python are skipped; false where they run: where Python is found, and always in CI. */
export const withoutPython: string | false =
  existsSync(interpreter) || process.env.CI === "true" ? false : MISSING;

/**
 * Runs a Python script; every warning is an error.
 *
 * @returns its standard output.
 * @throws Error with its traceback if it fails, or prints anything to standard error.
 */
export async function runPython(script: URL, ...args: readonly string[]): Promise<string> {
  if (!existsSync(interpreter)) throw new Error(MISSING);
  const command = ["-B", "-W", "error", fileURLToPath(script), ...args]; // -B: no __pycache__
  return await new Promise((resolve, reject) => {
    execFile(interpreter, command, (error, stdout, stderr) => {
      if (stderr !== "") reject(new Error(stderr));
      else if (error !== null) reject(error);
      else resolve(stdout);
    });
  });
}
