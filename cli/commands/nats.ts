import type { Command } from "commander";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import type { SetupChange } from "../../shared/transport/nats/setup.ts";
import { planSetup, SETUP_DEFAULTS, setup } from "../../shared/transport/nats/setup.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions, withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/command.ts";
import { byteCount, positiveInteger } from "../terminal/numbers.ts";
import { createOutput } from "../terminal/output.ts";

interface SetupFlags extends BrokerFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly replicas: number;
  readonly resultBytes: number;
  readonly dryRun?: boolean;
}

/** `ftle nats setup`: what a coordinator does by itself, for brokers where coordinators have no right to do it. */
export function natsCommand(): Command {
  const nats = command("nats", [
    "nats setup --nats nats://host:4222 --dry-run",
    "nats setup --nats nats://host:4222 --replicas 3 --result-bytes 4GB",
  ]);
  return nats.addCommand(setupCommand().copyInheritedSettings(nats));
}

function setupCommand(): Command {
  const target = command("setup", [
    "nats setup --nats nats://host:4222 --dry-run",
    "nats setup --nats nats://host:4222 --replicas 3",
  ]).description("create the streams that sweeps need, or update them; idempotent");
  return withBrokerOptions(target)
    .option(
      "--replicas <n>",
      "copies of each stream in a cluster of brokers",
      positiveInteger,
      SETUP_DEFAULTS.replicas,
    )
    .option(
      "--result-bytes <size>",
      "results that may wait for a coordinator",
      byteCount,
      SETUP_DEFAULTS.resultBytes,
    )
    .option("--dry-run", "say what would be done, and do nothing")
    .action(async (flags: SetupFlags) => {
      const output = createOutput(flags);
      const { replicas, resultBytes, dryRun = false } = flags;
      const options = brokerOptions(flags, "coordinator");
      const broker = await connectBroker(options);
      try {
        const changes = await planSetup(broker, { replicas, resultBytes });
        if (!dryRun) await setup(broker, { replicas, resultBytes }, { change: true });
        const text = changes.map((change) => lineOf(change, dryRun));
        if (text.length === 0)
          text.push(`Nothing to do: ${place(options.url)} has all that sweeps need.`);
        output.result(text.join("\n"), { changes, done: !dryRun });
      } finally {
        await broker.close();
      }
    });
}

function lineOf({ name, action, differences }: SetupChange, isDry: boolean): string {
  const verb = isDry ? `would ${action}` : `${action}d`;
  return `${verb} ${name}${differences.length === 0 ? "" : `: ${differences.join("; ")}`}`;
}
