/** What `cancel`, `pause` and `unpause` share: they change a sweep at a broker, from anywhere. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { UsageError } from "../../shared/errors.ts";
import { readSweeps } from "../../shared/transport/nats/claim.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import type { Queue } from "../../shared/transport/nats/queue-list.ts";
import { changeQueues, readQueues } from "../../shared/transport/nats/queue-list.ts";
import { isSetUp } from "../../shared/transport/nats/setup.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions, withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/command.ts";
import type { OutputOptions } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";
import { loadStored } from "./stored-sweep.ts";

/** Help of the argument that `sweepNamed` reads. */
export const SWEEP = "the sweep: its directory, its name or its id";

/** Connects to the broker of the flags, acts, and closes the connection. */
export async function atBroker(
  flags: BrokerFlags,
  act: (broker: Broker) => Promise<void>,
): Promise<void> {
  const broker = await connectBroker(brokerOptions(flags, "coordinator"));
  try {
    await act(broker);
  } finally {
    await broker.close();
  }
}

/** Sets the state of a sweep's queue, which its coordinator and all workers watch. */
export async function setState(
  broker: Broker,
  sweep: string,
  state: Queue["state"],
): Promise<void> {
  await changeQueues(broker, (queues) =>
    queues.map((queue) => (queue.sweep === sweep ? { ...queue, state } : queue)),
  );
}

/**
 * The id of the one sweep at the broker that a word means.
 * @throws UsageError if there is none, or more than one.
 */
export async function sweepNamed(broker: Broker, word: string): Promise<string> {
  const ids = await idsOf(broker, word);
  if (ids.length === 1) return ids[0]!;
  const records = (await isSetUp(broker)) ? await readSweeps(broker) : [];
  const all = records.map(({ sweep, name }) => `${name} (${sweep})`);
  const there = all.length === 0 ? "no sweep" : all.join(", ");
  const found = ids.length === 0 ? there : `${ids.length} of that name: ${ids.join(", ")}`;
  throw new UsageError(
    `expected the name, id or directory of a sweep at ${place(broker.nc.getServer())}, found ${found}`,
  );
}

async function idsOf(broker: Broker, word: string): Promise<string[]> {
  if (!(await isSetUp(broker))) return [];
  const sweeps = await readSweeps(broker);
  const queues = (await readQueues(broker)) ?? [];
  const known = new Set([...sweeps, ...queues].map(({ sweep }) => sweep));
  if (known.has(word)) return [word];
  if (existsSync(word)) {
    const { plan } = await loadStored(word);
    return known.has(plan.sweep) ? [plan.sweep] : [];
  }
  return sweeps.filter(({ name }) => name === word).map(({ sweep }) => sweep);
}

/** `ftle pause` and `ftle unpause`: sets the state of a sweep's queue, and says so. */
export function stateCommand(name: string, state: Queue["state"]): Command {
  const target = command(name, [`${name} fig2 --nats nats://host:4222`]).argument("<sweep>", SWEEP);
  return withBrokerOptions(target).action(
    async (word: string, flags: BrokerFlags & OutputOptions) => {
      const output = createOutput(flags);
      await atBroker(flags, async (broker) => {
        const sweep = await sweepNamed(broker, word);
        await setState(broker, sweep, state);
        output.result(`Sweep ${sweep} is ${state}.`, { sweep, state });
      });
    },
  );
}
