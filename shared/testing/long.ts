/**
 * Which tests run. `npm test` is for after each change: everything that takes moments, and one short case of each fault.
 * `npm run test:all` sets FTLE_TEST=all: every case, and as many rounds of each as it takes to trust it.
 */
import type { TestContext } from "node:test";
import { test } from "node:test";

const isAll = process.env.FTLE_TEST === "all";

/** Why what takes long is skipped; false if it is not. */
export const tooLong = !isAll && "takes long: npm run test:all";

/** A test that takes long. */
export function longTest(title: string, body: (t: TestContext) => Promise<void>): void {
  test(title, { skip: tooLong }, body);
}

/** A number of rounds, or a list of cases: few in `npm test`, all in `npm run test:all`. */
export function fewOrAll<T>(few: T, all: T): T {
  return isAll ? all : few;
}
