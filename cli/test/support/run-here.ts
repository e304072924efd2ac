import { readSweep } from "../../../coordinator/spec/read-sweep.ts";
import { localWork } from "../../places/here.ts";
import type { RunOutcome } from "../../sweeps/run-to-end.ts";
import { runToEnd } from "../../sweeps/run-to-end.ts";
import type { PlannedSweep } from "../../sweeps/stored-sweep.ts";
import { loadStored, planFor } from "../../sweeps/stored-sweep.ts";

/** `ftle run SPEC --out DIRECTORY` in this process, without figures. */
export async function runHere(spec: string, directory: string): Promise<RunOutcome> {
  const read = await readSweep(spec);
  return await toEnd(await planFor(directory, read), directory);
}

/** `ftle resume DIRECTORY` in this process, without figures. */
export async function resumeHere(directory: string): Promise<RunOutcome> {
  return await toEnd(await loadStored(directory), directory);
}

async function toEnd(planned: PlannedSweep, directory: string): Promise<RunOutcome> {
  return await runToEnd({
    ...planned,
    directory,
    workPlace: localWork({ threads: 1 }),
    retry: false,
    isQuiet: true,
    signal: new AbortController().signal,
  });
}
