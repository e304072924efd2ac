import type { Msg } from "@nats-io/transport-node";
import { createInbox, nanos } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { encodeJson } from "./envelope.ts";
import { STREAMS } from "./names.ts";

/** Requests one message at a time from a queue, always with the same inbox: a subscription per request costs more. */
export interface Puller {
  /** The message, or the broker's status that there is none; null if it does not answer in time. */
  pull(queue: string, waitMs: number): Promise<Msg | null>;
  stop(): void;
}

/** How much longer than requested an answer may take before the request is given up. */
const SLACK_MS = 2_000;

/** @param onLate receives a message that came after its request was given up. */
export function createPuller(broker: Broker, onLate: (message: Msg) => void): Puller {
  const { nc } = broker;
  const inbox = createInbox(broker.inboxPrefix);
  let answer: ((message: Msg | null) => void) | null = null;
  const subscription = nc.subscribe(inbox, {
    callback(error, message) {
      if (error !== null) return; // not permitted: the connection reports it
      if (answer !== null) answer(message);
      else if ((message.headers?.code ?? 0) === 0) onLate(message);
    },
  });
  return {
    pull(queue, waitMs) {
      const ask = waitMs === 0 ? { batch: 1, no_wait: true } : { batch: 1, expires: nanos(waitMs) };
      return new Promise((resolve) => {
        const settle = (message: Msg | null) => {
          clearTimeout(timer);
          answer = null;
          resolve(message);
        };
        const timer = setTimeout(() => settle(null), waitMs + SLACK_MS);
        answer = settle;
        const subject = `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.tasks}.${queue}`;
        void broker.turnEnd().then(() => {
          if (nc.isClosed()) settle(null);
          else nc.publish(subject, encodeJson(ask), { reply: inbox });
        });
      });
    },
    stop: () => subscription.unsubscribe(),
  };
}
