import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { StoreError } from "../../../shared/errors.ts";
import { hasFewDescriptors } from "../../../shared/few-descriptors.ts";
import type { Stored, StoreFault, StoreReply, StoreRequest } from "./requests.ts";
import { cellOf } from "./requests.ts";

/** The storing threads, as the main thread sees them. */
export interface Storing {
  /**
   * Stores a result. Resolves when it survives a power cut; requests of one cell are stored in the order in which they
   * come, many at a time. What is transferred is not to be used any more.
   *
   * @throws StoreError if it cannot be written.
   */
  put(request: StoreRequest, transfer?: readonly ArrayBuffer[]): Promise<Stored>;
  /** Waits for what is being stored, and ends the threads. */
  stop(): Promise<void>;
}

/** Replies that are settled in one turn of the event loop, at most. */
const MOST_A_TURN = 8;

/** Each has a share of the cells. With tiny networks one is busy all the time, mostly in the kernel; a third gains nothing on two cores. */
const THREADS = 2;

export function startStoring(directory: string): Storing {
  const count = hasFewDescriptors() ? 1 : THREADS; // each needs some ten beside its files
  const threads = Array.from({ length: count }, () => startThread(directory));
  const threadOf = (cell: string) => threads[Number.parseInt(cell.slice(-1), 16) % count]!;
  return {
    put: (request, transfer) => threadOf(cellOf(request)).put(request, transfer),
    async stop() {
      await Promise.all(threads.map((thread) => thread.stop()));
    },
  };
}

function startThread(directory: string): Storing {
  const file = new URL(`./thread-entry${extname(import.meta.url)}`, import.meta.url);
  const thread = new Worker(file, { workerData: { directory } });
  const waiting = new Map<number, { resolve(stored: Stored): void; reject(error: Error): void }>();
  let last = 0;
  let onIdle = () => {};
  thread.unref(); // a request in flight keeps the process running, the thread alone does not
  const replies: StoreReply[] = [];
  thread.on("message", (batch: readonly StoreReply[]) => {
    replies.push(...batch);
    if (replies.length === batch.length) settle();
  });
  thread.on("error", failAll);
  thread.on("exit", () => failAll(new Error("the storing thread has ended")));

  /** What follows from each reply takes a fraction of a millisecond: a whole batch would hold up the event loop. */
  function settle(): void {
    for (const reply of replies.splice(0, MOST_A_TURN)) {
      const request = waiting.get(reply.number); // none if the thread has failed
      waiting.delete(reply.number);
      if ("error" in reply) request?.reject(errorOf(reply.error));
      else request?.resolve(reply.stored);
    }
    if (replies.length > 0) setImmediate(settle);
    if (waiting.size > 0) return;
    thread.unref();
    onIdle();
  }

  function failAll(error: Error): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    onIdle();
  }

  return {
    put(request, transfer = []) {
      return new Promise((resolve, reject) => {
        const number = ++last;
        waiting.set(number, { resolve, reject });
        thread.ref();
        thread.postMessage({ number, request }, transfer);
      });
    },
    async stop() {
      if (waiting.size > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve;
        });
      }
      await thread.terminate();
    },
  };
}

function errorOf({ name, message, stack, path }: StoreFault): Error {
  if (path !== undefined) return new StoreError(message, { path, cause: undefined });
  return Object.assign(new Error(message), { name, stack });
}
