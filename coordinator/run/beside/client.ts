import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import pLimit from "p-limit";
import type { BesideReply, BesideRequest } from "./messages.ts";

/** The thread that computes beside the store, as the main thread sees it. */
export interface Beside {
  /** In order, one at a time. An analysis that throws is a reply; what ends the thread is an error. */
  compute(request: BesideRequest): Promise<BesideReply>;
  stop(): Promise<void>;
}

/** The thread starts with the first request. */
export function startBeside(directory: string): Beside {
  let thread: Worker | null = null;
  const oneAtATime = pLimit(1);
  return {
    compute: (request) =>
      oneAtATime(() => {
        thread ??= startThread(directory);
        return answerOf(thread, request);
      }),
    async stop() {
      await thread?.terminate();
      thread = null;
    },
  };
}

function startThread(directory: string): Worker {
  const file = new URL(`./thread-entry${extname(import.meta.url)}`, import.meta.url);
  const thread = new Worker(file, { workerData: { directory } });
  thread.unref(); // a request in flight keeps the process running, the thread alone does not
  return thread;
}

function answerOf(thread: Worker, request: BesideRequest): Promise<BesideReply> {
  return new Promise((resolve, reject) => {
    const end = () => {
      thread.unref();
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
    };
    const onMessage = (reply: BesideReply) => {
      end();
      resolve(reply);
    };
    const onError = (error: Error) => {
      end();
      reject(error);
    };
    const onExit = () => onError(new Error("the thread beside the store has ended"));
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    thread.ref();
    thread.postMessage(request);
  });
}
