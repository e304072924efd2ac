import type { Msg } from "@nats-io/transport-node";
import { createInbox, nanos } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { encodeJson } from "./envelope.ts";
import { STREAMS } from "./names.ts";

/** Requests messages from queues, each for one caller. */
export interface Puller {
  /**
   * The message, or the broker's status that there is none; null if it does not answer in time.
   * @param waitMs 0 not to wait for a message; otherwise the same for all callers.
   */
  pull(queue: string, waitMs: number): Promise<Msg | null>;
  /** Sends no more requests; those under way run to their ends. */
  stop(): void;
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
  unsubscribe(): void;
}

/**
 * Callers that wait for the same queue from the same turn of the event loop on share a request for a message each.
 * @param onLate receives a message that came after its request was given up.
 */
export function createPuller(broker: Broker, onLate: (message: Msg) => void): Puller {
  const { nc } = broker;
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
    const unsubscribe = () => subscription.unsubscribe();
    const channel: Channel = { inbox, callers: [], timer: undefined, unsubscribe };
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
    if (isStopped) channel.unsubscribe();
    else free.push(channel);
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
    stop() {
      isStopped = true; // requests under way may still bring tasks, which must be returned
      for (const { unsubscribe } of free) unsubscribe();
    },
  };
}
