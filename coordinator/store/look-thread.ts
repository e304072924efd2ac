/** The thread of `look-ahead.ts`. */
import { workerData } from "node:worker_threads";
import type { LookAheadData } from "./look-ahead.ts";
import { LOOKED } from "./look-ahead.ts";
import { looksOf } from "./looks.ts";

const { folders, names, state, sums, front } = workerData as LookAheadData;

for (let i = folders.length - 1; i >= Atomics.load(front, 0); i--) {
  const looks = looksOf(folders[i]!, names);
  if (looks !== null) sums.set(looks.sum, 2 * i);
  Atomics.store(state, i, looks === null ? LOOKED.missing : LOOKED.whole);
}
