/** `ftle cancel`, `pause` and `unpause`: what one may do to a sweep that runs elsewhere. */
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { Command } from "commander";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { UsageError } from "../../shared/errors.ts";
import { forgetClaim, readSweeps } from "../../shared/transport/nats/claim.ts";
import type { Broker } from "../../shared/transport/nats/connect.ts";
import { connectBroker, place } from "../../shared/transport/nats/connect.ts";
import { coordinatorTransport } from "../../shared/transport/nats/coordinator-transport.ts";
import type { Queue } from "../../shared/transport/nats/queue-list.ts";
import { changeQueues, readQueues } from "../../shared/transport/nats/queue-list.ts";
import { pause } from "../../shared/transport/nats/retry.ts";
import { isSetUp } from "../../shared/transport/nats/setup.ts";
import { loadStored } from "../sweeps/stored-sweep.ts";
import type { BrokerFlags } from "../terminal/broker-options.ts";
import { brokerOptions, hasBroker, withBrokerOptions } from "../terminal/broker-options.ts";
import { command } from "../terminal/options.ts";
import type { Output } from "../terminal/output.ts";
import { createOutput } from "../terminal/output.ts";

interface ControlFlags extends BrokerFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const SWEEP = "the sweep: its directory, its name or its id";
/** How long a coordinator may take to end. */
const END_MS = 15_000;
const LOOK_MS = 100;

export function cancelCommand(): Command {
  const cancel = command(
    "cancel",
    "end a sweep that runs; what is stored stays, and resume goes on",
    [
      "cancel sweeps/fig2                        # a run on this machine",
      "cancel fig2 --nats nats://host:4222       # a run over a broker, from anywhere",
    ],
  ).argument("<sweep>", SWEEP);
  return withBrokerOptions(cancel).action(async (word: string, flags: ControlFlags) => {
    const output = createOutput(flags);
    if (!hasBroker(flags)) await cancelHere(word, output);
    else await atBroker(flags, (broker) => cancelThere(broker, word, output));
  });
}

export function pauseCommand(): Command {
  return stateCommand(
    "pause",
    "paused",
    "have workers take no more tasks of a sweep; those that run go on",
  );
}

export function unpauseCommand(): Command {
  return stateCommand("unpause", "running", "have workers go on with a paused sweep");
}

function stateCommand(name: string, state: Queue["state"], description: string): Command {
  const target = command(name, description, [`${name} fig2 --nats nats://host:4222`]);
  return withBrokerOptions(target.argument("<sweep>", SWEEP)).action(
    async (word: string, flags: ControlFlags) => {
      const output = createOutput(flags);
      await atBroker(flags, async (broker) => {
        const sweep = await sweepNamed(broker, word);
        await setState(broker, sweep, state);
        output.result(`Sweep ${sweep} is ${state}.`, { sweep, state });
      });
    },
  );
}

async function atBroker(flags: BrokerFlags, act: (broker: Broker) => Promise<void>): Promise<void> {
  const broker = await connectBroker(brokerOptions(flags, "coordinator"));
  try {
    await act(broker);
  } finally {
    await broker.close();
  }
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
  if (host !== hostname()) {
    throw new UsageError(
      `the sweep in ${directory} is run by process ${pid} on ${host}; cancel it there, or with --nats URL`,
    );
  }
  process.kill(pid, "SIGTERM");
  const isGone = async () => (await lockOwner(directory))?.pid !== pid;
  if (!(await within(END_MS, isGone))) {
    throw new UsageError(`process ${pid} was asked to end, and has not within ${END_MS / 1000} s`);
  }
  output.result(`Process ${pid} has ended; what is stored stays.`, { directory, pid });
}

/** Tells the sweep's coordinator, wherever it is; does without it if there is none. */
async function cancelThere(broker: Broker, word: string, output: Output): Promise<void> {
  const sweep = await sweepNamed(broker, word);
  await setState(broker, sweep, "cancelled");
  const isGone = async () => !(await readQueues(broker))?.some((queue) => queue.sweep === sweep);
  const isHeard = await within(END_MS, isGone);
  const transport = coordinatorTransport({ broker });
  await transport.cancel(sweep); // also what a worker handed in meanwhile
  await transport.stop();
  await forgetClaim(broker, sweep);
  const who = isHeard ? "its coordinator has ended" : "no coordinator of it was there";
  output.result(`Sweep ${sweep} is cancelled; ${who}. What is stored stays.`, { sweep, isHeard });
}

async function setState(broker: Broker, sweep: string, state: Queue["state"]): Promise<void> {
  await changeQueues(broker, (queues) =>
    queues.map((queue) => (queue.sweep === sweep ? { ...queue, state } : queue)),
  );
}

/**
 * The id of the one sweep at the broker that a word means.
 * @throws UsageError if there is none, or more than one.
 */
async function sweepNamed(broker: Broker, word: string): Promise<string> {
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

/** Whether a condition comes about in that time. */
async function within(ms: number, condition: () => Promise<boolean>): Promise<boolean> {
  const signal = AbortSignal.timeout(ms);
  while (!(await condition())) {
    if (signal.aborted) return false;
    await pause(LOOK_MS, signal);
  }
  return true;
}
