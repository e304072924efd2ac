/** Where the broker is, and our credentials for it: options that several commands share. */
import type { Command } from "commander";
import { Option } from "commander";
import { UsageError } from "../../shared/errors.ts";
import type { BrokerOptions } from "../../shared/transport/nats/connect.ts";
import type { Role } from "../../shared/transport/nats/names.ts";
import { INBOXES } from "../../shared/transport/nats/names.ts";

export interface BrokerFlags {
  readonly nats?: string;
  readonly natsCredentials?: string;
  readonly natsCa?: string;
}

export function withBrokerOptions(target: Command): Command {
  return target
    .addOption(
      new Option(
        "--nats <url>",
        "the NATS broker at which coordinators and workers meet, e.g. nats://host:4222",
      ).env("FTLE_NATS"),
    )
    .addOption(
      new Option(
        "--nats-credentials <file>",
        "nkey seed or credentials file for the broker, readable by you alone",
      ).env("FTLE_NATS_CREDENTIALS"),
    )
    .addOption(
      new Option(
        "--nats-ca <file>",
        "certificate of the authority that signed the broker's certificate",
      ).env("FTLE_NATS_CA"),
    );
}

/** Whether a broker was named; an empty name does not count. */
export function hasBroker({ nats }: BrokerFlags): boolean {
  return nats !== undefined && nats !== "";
}

/** @throws UsageError if no broker was named. */
export function brokerOptions(flags: BrokerFlags, role: Role): BrokerOptions {
  const { nats: url, natsCredentials: credentials, natsCa: tlsCa } = flags;
  if (url === undefined || url === "") {
    throw new UsageError(
      "expected a broker: --nats nats://host:4222, or the environment variable FTLE_NATS",
    );
  }
  return { url, credentials, tlsCa, name: `ftle ${role}`, inboxPrefix: INBOXES[role] };
}
