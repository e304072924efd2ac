/** The thread that stores results: whatever has come while a batch was stored is in the next. */
import { parentPort, workerData } from "node:worker_threads";
import { StoreError } from "../../../shared/errors.ts";
import { wayInto } from "../put-aside.ts";
import type { StoringState } from "./batch.ts";
import { storeBatch } from "./batch.ts";
import type { NumberedRequest, StoreFault, StoreReply } from "./requests.ts";
import { cellOf } from "./requests.ts";

const { directory } = workerData as { directory: string };
const port = parentPort!;

/** Results that are stored together, at most: enough that an fsync of a folder serves many. */
const MOST_TOGETHER = 64;
const MOST_BATCHES = 2;

const state: StoringState = {
  directory,
  way: wayInto(directory),
  safe: new Set(),
  described: new Set(),
  grids: new Set(),
  growing: new Map(),
  hasLinks: null,
};
const waiting: NumberedRequest[] = [];
/** Cells with a request in a batch that is being stored. */
const busy = new Set<string>();
let batches = 0;
/** With the first fault the run is over: what later requests build on may be missing. */
let failure: StoreFault | null = null;

port.on("message", (request: NumberedRequest) => {
  waiting.push(request);
  if (batches === 0) begin();
});

/** Begins batches while there is something for them. One writes while the disk takes the other. */
function begin(): void {
  while (batches < MOST_BATCHES) {
    const batch = takeBatch();
    if (batch.length === 0) return;
    batches++;
    void store(batch);
  }
}

async function store(batch: readonly NumberedRequest[]): Promise<void> {
  port.postMessage(await repliesTo(batch));
  for (const { request } of batch) busy.delete(cellOf(request));
  batches--;
  // Requests that came meanwhile are read from the port by the event loop only.
  setImmediate(begin);
}

/** The next requests. Those of one cell are stored in order, and never in two batches at once. */
function takeBatch(): NumberedRequest[] {
  const batch: NumberedRequest[] = [];
  const taken = new Set<string>();
  for (let i = 0; i < waiting.length && batch.length < MOST_TOGETHER; ) {
    const cell = cellOf(waiting[i]!.request);
    if (busy.has(cell)) i++;
    else {
      taken.add(cell);
      batch.push(...waiting.splice(i, 1));
    }
  }
  for (const cell of taken) busy.add(cell);
  return batch;
}

async function repliesTo(batch: readonly NumberedRequest[]): Promise<StoreReply[]> {
  try {
    if (failure !== null) return refusals(batch, failure);
    const stored = await storeBatch(
      state,
      batch.map(({ request }) => request),
    );
    return batch.map(({ number }, i) => ({ number, stored: stored[i]! }));
  } catch (error) {
    failure ??= faultOf(error);
    return refusals(batch, failure);
  }
}

function refusals(batch: readonly NumberedRequest[], error: StoreFault): StoreReply[] {
  return batch.map(({ number }) => ({ number, error }));
}

function faultOf(error: unknown): StoreFault {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack, path: error instanceof StoreError ? error.path : undefined };
}
