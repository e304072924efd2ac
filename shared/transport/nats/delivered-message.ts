/** A task's message as the broker delivers it: what its subjects say, and how it is acknowledged. */
import type { Msg } from "@nats-io/transport-node";
import { nanos } from "@nats-io/transport-node";
import type { Broker } from "./connect.ts";
import { token } from "./names.ts";

/** How long the broker may take to confirm an acknowledgement. */
const CONFIRM_MS = 3_000;

/** The task that the message's subject names. */
export function addressOf({ subject }: Msg): { sweep: string; id: string } {
  return { sweep: token(subject, 3), id: token(subject, 4) };
}

/**
 * Deliveries of the message so far, this one included: a token of its reply subject, which is
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.…`, or from server 2.15 on
 * `$JS.ACK.<domain>.<account>.<stream>.<consumer>.<deliveries>.…`.
 */
export function deliveryCount({ reply = "" }: Msg): number {
  return Number(token(reply, reply.split(".").length < 11 ? 4 : 6));
}

/**
 * The task has its outcome: it is not delivered again. Failure is ignored: a lost acknowledgement costs
 * one more delivery, which finds the outcome.
 */
export async function ack(broker: Broker, message: Msg): Promise<void> {
  await confirmed(broker, message, "+ACK").catch(() => {});
}

/** Like `ack`, without waiting for the broker's confirmation. */
export function ackUnconfirmed({ nc, turnEnd }: Broker, message: Msg): void {
  void turnEnd().then(() => {
    if (!nc.isClosed()) nc.publish(message.reply!, "+ACK");
  });
}

/** The task is delivered again, after `delayMs` or at once. Failure is ignored: its lease ends anyway. */
export async function nak(broker: Broker, message: Msg, delayMs?: number): Promise<void> {
  const delay = delayMs === undefined ? "" : ` ${JSON.stringify({ delay: nanos(delayMs) })}`;
  await confirmed(broker, message, `-NAK${delay}`).catch(() => {});
}

/** The broker starts the lease's time again. @throws if it does not confirm. */
export async function inProgress(broker: Broker, message: Msg): Promise<void> {
  await confirmed(broker, message, "+WPI");
}

async function confirmed({ nc }: Broker, message: Msg, word: string): Promise<void> {
  await nc.request(message.reply!, word, { timeout: CONFIRM_MS });
}
