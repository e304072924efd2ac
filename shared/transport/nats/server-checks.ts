/** Whether a server that we are connected to can carry a sweep. */
import type { NatsConnection } from "@nats-io/transport-node";
import { createInbox } from "@nats-io/transport-node";
import { BrokerError } from "../../errors.ts";

/** The oldest server with several filters for a consumer, and with `sync_interval`. */
const OLDEST_SERVER = [2, 10] as const;

interface CheckedServer {
  /** The server's URL for messages, without user and password. */
  readonly at: string;
  readonly inboxPrefix: string;
}

/** @throws BrokerError if the server is too old, has no JetStream, or does not let us receive replies. */
export async function refuseUnfitServer(nc: NatsConnection, server: CheckedServer): Promise<void> {
  refuseOldServer(nc, server);
  refuseWithoutJetStream(nc, server);
  await refuseWithoutReplies(nc, server);
}

function refuseOldServer({ info }: NatsConnection, { at }: CheckedServer): void {
  const [major = 0, minor = 0] = (info?.version ?? "").split(".").map(Number);
  const [wantMajor, wantMinor] = OLDEST_SERVER;
  if (major > wantMajor || (major === wantMajor && minor >= wantMinor)) return;
  throw new BrokerError(
    `expected nats-server ${OLDEST_SERVER.join(".")} or later at ${at}, found ${info?.version}; install a newer one`,
  );
}

function refuseWithoutJetStream(nc: NatsConnection, { at }: CheckedServer): void {
  if (nc.info?.jetstream === true) return;
  throw new BrokerError(
    `the broker at ${at} has JetStream switched off; start it with \`nats-server -js\`, or with a jetstream section in its configuration`,
  );
}

/** A role without the right to receive the replies to its requests would wait for them for ever. */
async function refuseWithoutReplies(
  nc: NatsConnection,
  { at, inboxPrefix }: CheckedServer,
): Promise<void> {
  const refusals: Error[] = [];
  const trial = nc.subscribe(createInbox(inboxPrefix), {
    callback: (error) => {
      if (error !== null) refusals.push(error);
    },
  });
  await nc.flush();
  trial.unsubscribe();
  if (refusals.length === 0) return;
  throw new BrokerError(
    `the broker at ${at} does not permit us to receive replies on ${inboxPrefix}.>: expected the key of the role that this command needs, found another role's key`,
    refusals[0],
  );
}
