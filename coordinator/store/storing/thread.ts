/** The thread that stores results: whatever has come while it stored the last batch is the next one. */
import { parentPort, workerData } from "node:worker_threads";
import { StoreError } from "../../../shared/errors.ts";
import { wayInto } from "../put-aside.ts";
import type { StoringState } from "./batch.ts";
import { storeBatch } from "./batch.ts";
import type { NumberedRequest, StoreFault, StoreReply } from "./requests.ts";

const { directory } = workerData as { directory: string };
const port = parentPort!;

/** Results that are stored together, at most: enough that an fsync of a folder serves many. */
const MOST_TOGETHER = 64;

const state: StoringState = {
  directory,
  way: wayInto(directory),
  described: new Set(),
  grids: new Set(),
  hasLinks: null,
};
const waiting: NumberedRequest[] = [];
let isStoring = false;

port.on("message", (request: NumberedRequest) => {
  waiting.push(request);
  if (!isStoring) void storeAll();
});

async function storeAll(): Promise<void> {
  isStoring = true;
  while (waiting.length > 0) {
    const batch = waiting.splice(0, MOST_TOGETHER);
    port.postMessage(await repliesTo(batch));
    // Requests that came meanwhile are read from the port by the event loop only.
    await new Promise((resolve) => setImmediate(resolve));
  }
  isStoring = false;
}

async function repliesTo(batch: readonly NumberedRequest[]): Promise<StoreReply[]> {
  try {
    const stored = await storeBatch(
      state,
      batch.map(({ request }) => request),
    );
    return batch.map(({ number }, i) => ({ number, stored: stored[i]! }));
  } catch (error) {
    const fault = faultOf(error);
    return batch.map(({ number }) => ({ number, error: fault }));
  }
}

function faultOf(error: unknown): StoreFault {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name, message, stack, path: error instanceof StoreError ? error.path : undefined };
}
