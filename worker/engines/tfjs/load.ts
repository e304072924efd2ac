import { createRequire } from "node:module";
import util from "node:util";
import { getEnvironmentData, isMainThread, setEnvironmentData } from "node:worker_threads";
import type { TensorFlow } from "./tensorflow.ts";

/** Of the environment, libtensorflow reads it once: when the first thread of the process loads it. */
const ENVIRONMENT = {
  /** Our own threads share the cores; with more of TensorFlow's they would take them from each other. */
  TF_NUM_INTRAOP_THREADS: "1",
  TF_NUM_INTEROP_THREADS: "1",
  /** Errors only, no greetings. */
  TF_CPP_MIN_LOG_LEVEL: "2",
};

/** Under this key the process's threads find the lock that they load under. */
const LOCK = "ftle-sweeper tfjs lock";

/** A thread that was terminated while it loaded keeps its lock; the next ones wait no longer than this. */
const PATIENCE_MS = 30_000;

/**
 * Readies the process for threads that load TensorFlow. Call it on the main thread before they are started:
 * a thread's own `process.env` is a copy that libtensorflow does not see. It costs nothing if none does.
 */
export function prepareTensorFlow(): void {
  if (!isMainThread || getEnvironmentData(LOCK) !== undefined) return;
  Object.assign(process.env, ENVIRONMENT);
  setEnvironmentData(LOCK, new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Loads @tensorflow/tfjs-node in this thread, or says in one line why it is not here and how to get it.
 *
 * One thread after the other loads and warms up: the published binding keeps the names of operations' attributes
 * in one unlocked set for all threads (`ATTR_NAME_SET` in `tfjs_backend.cc`), and with four threads starting
 * together 4 % of processes crashed. `warmUp` must use every attribute that is used later.
 */
export function loadTensorFlow(
  warmUp: (tf: TensorFlow) => void,
  from: URL = installed(),
): { readonly tf: TensorFlow } | { readonly missing: string } {
  prepareTensorFlow();
  try {
    return underLock(() => {
      const tf = requireQuietly(from);
      warmUp(tf);
      return { tf };
    });
  } catch (error) {
    return { missing: `${reasonOf(error as NodeJS.ErrnoException)}; ${remedy()}` };
  }
}

/** What `install.sh` has put beside package.json; from there Node also finds what a user has installed. */
function installed(): URL {
  // The build lies one folder deeper than the source.
  const root = import.meta.url.endsWith(".ts") ? "../../.." : "../../../..";
  return new URL(`${root}/.tfjs-node/`, import.meta.url);
}

function requireQuietly(from: URL): TensorFlow {
  // tfjs-node 4.22.0 calls both. Node 23 removed them, and 22 warns of one.
  Object.assign(util, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray,
  });
  const { noDeprecation = false } = process;
  process.noDeprecation = true; // its dependencies use `punycode` and `url.parse`
  try {
    return createRequire(from)("@tensorflow/tfjs-node") as TensorFlow;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  const isAbsent = code === "MODULE_NOT_FOUND" && message.includes("'@tensorflow/tfjs-node'");
  if (isAbsent) return "@tensorflow/tfjs-node is not installed";
  if (message.startsWith("The Node.js native addon module")) {
    return "@tensorflow/tfjs-node is installed without its native addon";
  }
  return `@tensorflow/tfjs-node does not load: ${message.split("\n")[0]}`;
}

/** In a checkout the project's own script; a user of the package has npm. */
function remedy(): string {
  return import.meta.url.includes("/node_modules/")
    ? "`npm install @tensorflow/tfjs-node@4.22.0`, with its install script, adds it"
    : "`npm run engine:tfjs` adds it";
}

function underLock<T>(work: () => T): T {
  const shared = getEnvironmentData(LOCK);
  // A thread of a process that has not been prepared: nothing to share.
  if (!(shared instanceof SharedArrayBuffer)) return work();
  const lock = new Int32Array(shared);
  while (Atomics.compareExchange(lock, 0, 0, 1) !== 0) {
    if (Atomics.wait(lock, 0, 1, PATIENCE_MS) === "timed-out") break;
  }
  try {
    return work();
  } finally {
    Atomics.store(lock, 0, 0);
    Atomics.notify(lock, 0, 1);
  }
}
