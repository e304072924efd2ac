/**
 * Runs a sweep in this process, and appends the id of each task whose result it acknowledges to a file:
 * `node acknowledging.ts SPEC DIRECTORY FILE`. Many results are on their way into the store at a time.
 */
import { appendFileSync } from "node:fs";
import { readSweep } from "../../../coordinator/spec/read-sweep.ts";
import type { CoordinatorTransport, Outcome } from "../../../shared/transport/transport.ts";
import { localWork } from "../../places/here.ts";
import type { WorkPlace } from "../../places/place.ts";
import { runToEnd } from "../../sweeps/run-to-end.ts";
import { planFor } from "../../sweeps/stored-sweep.ts";

const [spec, directory, file] = process.argv.slice(2) as [string, string, string];
/** As many tasks are handed out as to a cluster of so many threads. */
const THREADS = 32;

const read = await readSweep(spec);
await runToEnd({
  ...(await planFor(directory, read)),
  directory,
  workPlace: noting(localWork({ threads: 2 })),
  retry: false,
  isQuiet: true,
  signal: new AbortController().signal,
});

function noting(place: WorkPlace): WorkPlace {
  return (toRun, signal, use) =>
    place(toRun, signal, (work) => {
      const { transport } = work;
      const outcomes: CoordinatorTransport["outcomes"] = async function* (...of) {
        for await (const outcome of transport.outcomes(...of)) yield noted(outcome);
      };
      return use({ ...work, threads: () => THREADS, transport: { ...transport, outcomes } });
    });
}

function noted(outcome: Outcome): Outcome {
  const { task } = outcome.kind === "result" ? outcome.result : outcome.letter;
  return {
    ...outcome,
    async ack() {
      appendFileSync(file, `${task}\n`);
      await outcome.ack();
    },
  };
}
