import type { Command } from "commander";
import { atBroker, SWEEP, setState, sweepNamed } from "../sweeps/at-broker.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/command.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";

export function pauseCommand(): Command {
  const target = command("pause", ["pause fig2 --nats nats://host:4222"]).argument(
    "<sweep>",
    SWEEP,
  );
  return withBrokerOptions(target).action(
    async (word: string, flags: BrokerFlags & OutputOptions) => {
      const output = createOutput(flags);
      await atBroker(flags, async (broker) => {
        const sweep = await sweepNamed(broker, word);
        await setState(broker, sweep, "paused");
        output.result(`Sweep ${sweep} is paused.`, { sweep, state: "paused" });
      });
    },
  );
}
