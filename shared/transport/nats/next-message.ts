import type { Msg } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { CHANGED_SUBJECT, queueName } from "./names.ts";
import type { Puller } from "./puller.ts";
import { createPuller } from "./puller.ts";
import type { Queue } from "./queue-list.ts";
import { readQueuesNow } from "./queue-list.ts";
import { pause } from "./retry.ts";

/** Stands for the code of an answer that did not come. */
const NO_ANSWER = -1;
/** Pause after a pull that the broker could not answer, e.g. while it restarts. */
const TROUBLE_MS = 300;

export interface MessageSource {
  /**
   * The next task's message for an engine, from the sweeps by turns, those of high priority first. Takes at most
   * one, and only when asked; null if there was none for a while.
   */
  next(engine: string): Promise<TaskMessage | null>;
  stop(): void;
}

export interface TaskMessage {
  readonly message: Msg;
  /** How long its lease lasts without being extended. */
  readonly leaseMs: number;
}

export interface MessageSourceOptions {
  readonly signal: AbortSignal;
  /** How often the list of sweeps is read again; it is also read when it is said to have changed. */
  readonly listMs: number;
  /** How long one pull waits at the broker: as long, a sweep of higher priority may wait. */
  readonly pullMs: number;
  /** A task that comes when its pull has been given up; it is to be given back. */
  onLate(message: Msg): void;
}

export function messageSource(
  broker: Broker,
  { signal, listMs, pullMs, onLate }: MessageSourceOptions,
): MessageSource {
  const { nc } = broker;
  const free: Puller[] = [];
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

  /** Reads which sweeps there are. That a broker has forgotten them all is no reason to forget them, too. */
  async function list(): Promise<void> {
    isStale = true;
    if (isReading) return;
    isReading = true;
    while (isStale && !signal.aborted) {
      isStale = false; // a change that is told while we read is read in the next round
      try {
        queues = (await readQueuesNow(broker)) ?? queues;
      } catch {
        // Away, or without any sweep so far, or nonsense in the list: the next round sees.
        await pause(TROUBLE_MS * (0.5 + Math.random()), signal);
        isStale ||= queues.length === 0 && !broker.closed.aborted;
      }
    }
    isReading = false;
    wake();
  }

  /** Sweeps in the order in which to ask them. */
  function inTurn(engine: string): Queue[] {
    turn++;
    const mine = queues.filter((queue) => queue.engine === engine && queue.state === "running");
    return (["high", "normal"] as const).flatMap((priority) => {
      const equals = mine.filter((queue) => queue.priority === priority);
      const first = turn % Math.max(1, equals.length);
      return [...equals.slice(first), ...equals.slice(0, first)];
    });
  }

  /** Takes a message from a sweep's queue; null if there is none now, or none within `waitMs`. */
  async function pull(queue: Queue, waitMs: number): Promise<TaskMessage | null> {
    const { engine, sweep, leaseMs } = queue;
    const puller = free.pop() ?? createPuller(broker, onLate);
    const message = await puller.pull(queueName(engine, sweep), waitMs);
    free.push(puller);
    const code = message === null ? NO_ANSWER : (message.headers?.code ?? 0);
    if (code === 0) return { message: message!, leaseMs };
    // 404: none, 408: none in that time; anything else is trouble that may pass.
    if (code !== 404 && code !== 408) await pause(TROUBLE_MS * (0.5 + Math.random()), signal);
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
    stop() {
      clearInterval(timer);
      changes.unsubscribe();
      for (const puller of free) puller.stop();
      wake();
    },
  };
}
