import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { Command } from "commander";
import { isInReach, lockOwner } from "../../coordinator/store/lock.ts";
import { UsageError } from "../../shared/errors.ts";
import { forgetClaim } from "../../shared/transport/nats/claim.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { coordinatorTransport } from "../../shared/transport/nats/coordinator-transport.ts";
import { readQueues } from "../../shared/transport/nats/queue-list.ts";
import { pause } from "../../shared/transport/nats/retry.ts";
import { atBroker, SWEEP, setState, sweepNamed } from "../sweeps/at-broker.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { hasBroker, withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/command.ts";
import type { Output, OutputOptions } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";

/** How long a coordinator may take to end. */
const END_MS = 15_000;
const LOOK_MS = 100;

export function cancelCommand(): Command {
  const cancel = command("cancel", [
    "cancel sweeps/fig2                        # a run on this machine",
    "cancel fig2 --nats nats://host:4222       # a run over a broker, from anywhere",
  ]).argument("<sweep>", SWEEP);
  return withBrokerOptions(cancel).action(
    async (word: string, flags: BrokerFlags & OutputOptions) => {
      const output = createOutput(flags);
      if (!hasBroker(flags)) await cancelHere(word, output);
      else await atBroker(flags, (broker) => cancelThere(broker, word, output));
    },
  );
}

/** Asks the coordinator in this machine's process table to end. */
async function cancelHere(directory: string, output: Output): Promise<void> {
  const owner = existsSync(directory) ? await lockOwner(directory) : null;
  if (owner === null) {
    throw new UsageError(
      `expected a sweep that runs in ${directory}, found none; one that runs over a broker is cancelled with --nats URL`,
    );
  }
  const { pid, host } = owner;
  if (!(await isInReach(directory, owner))) {
    const where = host === hostname() ? `${host}, in another container` : host;
    throw new UsageError(
      `the sweep in ${directory} is run by process ${pid} on ${where}; cancel it there, or with --nats URL`,
    );
  }
  process.kill(pid, "SIGTERM");
  const isGone = async () => (await lockOwner(directory))?.pid !== pid;
  if (!(await within(END_MS, isGone))) {
    throw new UsageError(
      `process ${pid} was asked to end, but still runs after ${END_MS / 1000} s`,
    );
  }
  output.result(`Process ${pid} has ended; what is stored stays.`, { directory, pid });
}

/** Cancels by way of the sweep's coordinator, wherever it is, or without one if there is none. */
async function cancelThere(broker: Broker, word: string, output: Output): Promise<void> {
  const sweep = await sweepNamed(broker, word);
  await setState(broker, sweep, "cancelled");
  const isGone = async () => !(await readQueues(broker))?.some((queue) => queue.sweep === sweep);
  const isHeard = await within(END_MS, isGone);
  const transport = coordinatorTransport({ broker });
  await transport.cancel(sweep); // including what a worker handed in meanwhile
  await transport.stop();
  await forgetClaim(broker, sweep);
  const who = isHeard ? "its coordinator has ended" : "it had no running coordinator";
  output.result(`Sweep ${sweep} is cancelled; ${who}. What is stored stays.`, { sweep, isHeard });
}

/** Whether a condition becomes true within that time. */
async function within(ms: number, condition: () => Promise<boolean>): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  while (!(await condition())) {
    if (signal.aborted) return false;
    await pause(LOOK_MS, signal);
  }
  return true;
}
