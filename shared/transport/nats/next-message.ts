import type { Msg } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { CHANGED_SUBJECT, queueName } from "./names.ts";
import { createPuller } from "./puller.ts";
import type { Queue } from "./queue-list.ts";
import { readQueuesNow } from "./queue-list.ts";
import { pause } from "./retry.ts";

/** Stands for the code of a reply that did not come. */
const NO_ANSWER = -1;
/** Pause after a request that the broker could not answer, e.g. while it restarts. */
const RETRY_MS = 300;

export interface MessageSource {
  /**
   * The next task's message for an engine. Sweeps take turns, those of high priority first. Takes at most one
   * message per call; null if there was none for a while.
   */
  next(engine: string): Promise<TaskMessage | null>;
  /** Resolves when no more task can come. */
  stop(): Promise<void>;
}

export interface TaskMessage {
  readonly message: Msg;
  /** How long the lease lasts without being extended. */
  readonly leaseMs: number;
}

export interface MessageSourceOptions {
  readonly signal: AbortSignal;
  /** Interval at which the list of queues is read; it is also read when a coordinator announces a change. */
  readonly listMs: number;
  /** How long one request waits at a queue. A sweep of higher priority may have to wait that long. */
  readonly pullMs: number;
  /** Called with a task that came after its request was given up; it must be returned. */
  onLate(message: Msg): void;
}

export function messageSource(
  broker: Broker,
  { signal, listMs, pullMs, onLate }: MessageSourceOptions,
): MessageSource {
  const { nc } = broker;
  const puller = createPuller(broker, onLate);
  let queues: readonly Queue[] = [];
  let turn = 0;
  let isReading = false;
  let isStale = false;
  let waiters: (() => void)[] = [];
  const changes = nc.subscribe(CHANGED_SUBJECT, { callback: () => void list() });
  const timer = setInterval(() => void list(), listMs);

  function wake(): void {
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  }
  signal.addEventListener("abort", wake, { once: true });

  /** Reads the list of queues. The old list stays when the broker has lost its own. */
  async function list(): Promise<void> {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale && !signal.aborted) {
      isStale = false; // a change announced during the reading causes another round
      try {
        queues = (await readQueuesNow(broker)) ?? queues;
      } catch {
        // The broker is away, had no sweep so far, or has an unreadable list: tries again.
        await pause(RETRY_MS * (0.5 + Math.random()), signal);
        isStale ||= queues.length === 0 && !broker.closed.aborted;
      }
    }
    isReading = false;
    wake();
  }

  /** The engine's queues in the order in which to ask them. */
  function inTurn(engine: string): Queue[] {
    turn++;
    const mine = queues.filter((queue) => queue.engine === engine && queue.state === "running");
    return (["high", "normal"] as const).flatMap((priority) => {
      const equals = mine.filter((queue) => queue.priority === priority);
      const first = turn % Math.max(1, equals.length);
      return [...equals.slice(first), ...equals.slice(0, first)];
    });
  }

  /** Requests a message from a sweep's queue; null if none came within `waitMs`. */
  async function pull(queue: Queue, waitMs: number): Promise<TaskMessage | null> {
    const { engine, sweep, leaseMs } = queue;
    const message = await puller.pull(queueName(engine, sweep), waitMs);
    const code = message === null ? NO_ANSWER : (message.headers?.code ?? 0);
    if (code === 0) return { message: message!, leaseMs };
    // 404: none now, 408: none in time; anything else is an error that may pass.
    if (code !== 404 && code !== 408) await pause(RETRY_MS * (0.5 + Math.random()), signal);
    return null;
  }

  return {
    async next(engine) {
      await broker.connected(signal);
      const candidates = inTurn(engine);
      const [first] = candidates;
      if (first === undefined) {
        const changed = new Promise<void>((resolve) => waiters.push(resolve));
        if (queues.length === 0) void list();
        await changed;
        return null;
      }
      if (candidates.length > 1) {
        for (const queue of candidates) {
          const message = await pull(queue, 0);
          if (message !== null) return message;
        }
      }
      return await pull(first, pullMs);
    },
    async stop() {
      clearInterval(timer);
      changes.unsubscribe();
      wake();
      await puller.stop();
    },
  };
}
