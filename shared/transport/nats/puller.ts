import type { Msg, Subscription } from "@nats-io/transport-node";
import { createInbox, nanos } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { encodeJson } from "./envelope.ts";
import { STREAMS } from "./names.ts";
import { pause } from "./retry.ts";

/** Requests messages from queues, each for one caller. */
export interface Puller {
  /**
   * The message, or the broker's status that there is none; null if it does not answer in time.
   * @param waitMs 0 not to wait for a message; otherwise the same for all callers.
   */
  pull(queue: string, waitMs: number): Promise<Msg | null>;
  /**
   * Sends no more requests, and withdraws those under way: the broker would deliver tasks that this worker gives back to
   * them. Resolves when no more message can come.
   */
  stop(): Promise<void>;
}

/** How much longer than requested an answer may take before the request is given up. */
const SLACK_MS = 2_000;

type Answer = (message: Msg | null) => void;

/** An inbox for one request at a time; a subscription for each request would cost more. */
interface Channel {
  readonly inbox: string;
  /** Those who wait for a message of the request. */
  callers: Answer[];
  /** Gives the request up. */
  timer: NodeJS.Timeout | undefined;
  readonly subscription: Subscription;
}

/**
 * Callers that wait for the same queue from the same turn of the event loop on share a request for a message each.
 * @param onLate receives a message that came after its request was given up.
 */
export function createPuller(broker: Broker, onLate: (message: Msg) => void): Puller {
  const { nc } = broker;
  const all: Channel[] = [];
  const free: Channel[] = [];
  const gathered = new Map<string, Answer[]>();
  let isStopped = false;

  function addChannel(): Channel {
    const inbox = createInbox(broker.inboxPrefix);
    const subscription = nc.subscribe(inbox, {
      callback(error, message) {
        if (error !== null) return; // not permitted: the connection reports it
        receive(channel, message);
      },
    });
    const channel: Channel = { inbox, callers: [], timer: undefined, subscription };
    all.push(channel);
    return channel;
  }

  function receive(channel: Channel, message: Msg): void {
    const isTask = (message.headers?.code ?? 0) === 0;
    if (!isTask) end(channel, message);
    else if (channel.callers.length === 0) onLate(message);
    else {
      channel.callers.shift()!(message);
      if (channel.callers.length === 0) end(channel, null);
    }
  }

  /** Gives those who still wait the broker's status, or null. */
  function end(channel: Channel, status: Msg | null): void {
    if (channel.timer === undefined) return;
    clearTimeout(channel.timer);
    channel.timer = undefined;
    const { callers } = channel;
    channel.callers = [];
    free.push(channel);
    for (const answer of callers) answer(status);
  }

  function request(queue: string, waitMs: number, callers: Answer[]): void {
    if (isStopped || nc.isClosed()) {
      for (const answer of callers) answer(null);
      return;
    }
    const batch = callers.length;
    const ask = waitMs === 0 ? { batch, no_wait: true } : { batch, expires: nanos(waitMs) };
    const channel = free.pop() ?? addChannel();
    channel.callers = callers;
    channel.timer = setTimeout(() => end(channel, null), waitMs + SLACK_MS);
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.tasks}.${queue}`;
    nc.publish(subject, encodeJson(ask), { reply: channel.inbox });
  }

  /** Sends the request that the first caller of this turn began. */
  function sendGathered(queue: string, waitMs: number): void {
    const callers = gathered.get(queue)!;
    gathered.delete(queue);
    request(queue, waitMs, callers);
  }

  return {
    pull(queue, waitMs) {
      return new Promise((answer) => {
        const turnEnd = broker.turnEnd();
        const callers = gathered.get(queue);
        if (waitMs === 0) void turnEnd.then(() => request(queue, waitMs, [answer]));
        else if (callers !== undefined) callers.push(answer);
        else {
          gathered.set(queue, [answer]);
          void turnEnd.then(() => sendGathered(queue, waitMs));
        }
      });
    },
    async stop() {
      isStopped = true;
      // Messages on their way arrive before the broker confirms; one that is away does not.
      const drained = all.map(({ subscription }) => subscription.drain().catch(() => {}));
      const patience = new AbortController();
      await Promise.race([Promise.all(drained), pause(SLACK_MS, patience.signal)]);
      patience.abort();
      for (const channel of all) end(channel, null);
    },
  };
}
