/** What holds between manifests and the program: what it is given, what it is asked, the time and memory it has. */
import { basename } from "node:path";
import type { Command, Option } from "commander";
import { natsCommand } from "../../cli/commands/nats.ts";
import { runCommand } from "../../cli/commands/run.ts";
import { FAREWELL_MS, workerCommand } from "../../cli/commands/worker.ts";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";
import type { Container, Manifest, PodSpec } from "./kubernetes-manifest.ts";
import { nameOf, podOf, quantity } from "./kubernetes-manifest.ts";
import { isOurs } from "./kubernetes-pod-faults.ts";

type Rule = readonly [holds: boolean, fault: string];

const commands = [runCommand(), workerCommand(), natsCommand()];
/** Beyond grace and farewell: a process has yet to end, and the kubelet to see it. */
const MARGIN_SECONDS = 2;

export function programFaults(manifests: readonly Manifest[]): string[] {
  const urls = brokersOf(manifests);
  return manifests.flatMap((manifest) => {
    const spec = podOf(manifest)?.spec;
    const container = spec?.containers.find((c) => isOurs(c) && c.command === undefined);
    if (spec === undefined || container === undefined) return [];
    const command = commandOf(container);
    if (command === undefined) return [`${nameOf(manifest)}: runs no command of the program`];
    const rules = [
      ...ofCommand(container, command),
      ...ofBroker(container, spec, { command, urls }),
      ...(command.name() === "worker" ? ofWorker(container, spec, command) : []),
      ...(command.name() in PORT_OF ? ofEndpoint(container, PORT_OF[command.name()]!) : []),
    ];
    return rules.filter(([holds]) => !holds).map(([, fault]) => `${nameOf(manifest)}: ${fault}`);
  });
}

const PORT_OF: Readonly<Record<string, number>> = {
  run: METRICS_PORTS.coordinator,
  worker: METRICS_PORTS.worker,
};

/** The command that a container's first words name. */
function commandOf({ args = [] }: Container): Command | undefined {
  let found: Command | undefined;
  for (const word of args) {
    const next = (found?.commands ?? (found === undefined ? commands : [])).find(
      (command) => command.name() === word,
    );
    if (next === undefined) return found;
    found = next;
  }
  return found;
}

function ofCommand({ args = [], env = [], resources }: Container, command: Command): Rule[] {
  const { options } = command;
  const unknown = [
    ...env
      .map(({ name }) => name)
      .filter((name) => name.startsWith("FTLE_") && !options.some((o) => o.envVar === name)),
    ...args.filter((word) => word.startsWith("-") && !options.some((o) => o.long === word)),
  ];
  const unread = args.filter((word, i) => {
    const option = options.find(({ long }) => long === args[i - 1]);
    return option !== undefined && readAs(option, word) === null;
  });
  const memory = quantity(resources?.limits?.memory);
  const heap = heapBytes(env);
  // A coordinator computes in no thread; a worker in as many as it has CPUs, each with a heap of its own.
  const heaps = command.name() === "worker" ? 1 + threadsOf(resources?.limits?.cpu) : 1;
  return [
    [unknown.length === 0, `the program does not know ${unknown.join(", ")}`],
    [unread.length === 0, `the program does not understand ${unread.join(", ")}`],
    [
      !(command.name() in PORT_OF) || heap * heaps <= 0.75 * memory,
      "node's heaps may outgrow the memory",
    ],
  ];
}

/** As the program reads it; null if it does not. */
function readAs({ parseArg }: Option, word: string): unknown {
  try {
    return parseArg === undefined ? word : parseArg(word, undefined);
  } catch {
    return null; // reported by the program, when it starts
  }
}

/** What resourceFieldRef gives: whole CPUs, rounded up. */
function threadsOf(cpu: string | undefined): number {
  return Math.ceil(quantity(cpu));
}

function heapBytes(env: Container["env"]): number {
  const options = env?.find(({ name }) => name === "NODE_OPTIONS")?.value ?? "";
  return 2 ** 20 * Number(/--max-old-space-size=(\d+)/.exec(options)?.[1]);
}

function ofWorker({ args = [], env = [] }: Container, spec: PodSpec, command: Command): Rule[] {
  const option = command.options.find(({ long }) => long === "--grace")!;
  const graceMs = args.includes("--grace")
    ? readAs(option, args[args.indexOf("--grace") + 1]!)
    : option.defaultValue;
  const needed = Number(graceMs) / 1000 + FAREWELL_MS / 1000 + MARGIN_SECONDS;
  const threads = env.find(({ name }) => name === "FTLE_THREADS")?.valueFrom?.resourceFieldRef;
  return [
    [
      (spec.terminationGracePeriodSeconds ?? 30) >= needed,
      "is killed before it has given its tasks back",
    ],
    [threads?.resource === "limits.cpu", "threads are not its CPUs"],
  ];
}

function ofEndpoint(container: Container, port: number): Rule[] {
  const { env = [], ports = [], startupProbe, livenessProbe, readinessProbe } = container;
  const asks = (probe: typeof startupProbe, path: string) =>
    probe?.httpGet?.path === path &&
    (probe.httpGet.port === "metrics" || probe.httpGet.port === port);
  return [
    [
      env.find(({ name }) => name === "FTLE_METRICS")?.value === `0.0.0.0:${port}`,
      "metrics at another port, or for this pod alone",
    ],
    [
      ports.some((p) => p.name === "metrics" && p.containerPort === port),
      "its port is not called metrics, or another",
    ],
    // Never /readyz: an outage of the broker would restart them all.
    [asks(livenessProbe, "/healthz"), "is restarted for another reason than its own"],
    [asks(startupProbe, "/healthz"), "has no time to start"],
    [asks(readinessProbe, "/readyz"), "is asked elsewhere whether it is ready"],
  ];
}

/** Each key of each ConfigMap. */
function brokersOf(manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  return new Map(
    manifests
      .filter(({ kind }) => kind === "ConfigMap")
      .flatMap(({ metadata, data = {} }) =>
        Object.entries(data).map(([key, value]) => [`${metadata.name} ${key}`, value] as const),
      ),
  );
}

function ofBroker(
  { env = [], volumeMounts = [] }: Container,
  { volumes = [], initContainers = [] }: PodSpec,
  { command, urls }: { command: Command; urls: ReadonlyMap<string, string> },
): Rule[] {
  const variable = (name: string) => env.find((one) => one.name === name);
  const { name, key } = variable("FTLE_NATS")?.valueFrom?.configMapKeyRef ?? {};
  const url = urls.get(`${name} ${key}`) ?? "";
  const file = variable("FTLE_NATS_CREDENTIALS")?.value;
  const rules: Rule[] = [[/^(nats|tls):\/\/nats:4222$/.test(url), "no broker"]];
  if (file === undefined) return [...rules, [url.startsWith("nats:"), "TLS without a key"]];
  const role = command.name() === "worker" ? "worker" : "coordinator";
  const inVolume = (path: string) =>
    volumes.find((volume) =>
      volumeMounts.some((m) => m.name === volume.name && path.startsWith(`${m.mountPath}/`)),
    );
  const copying = initContainers.find(
    ({ command = [] }) =>
      command[0] === "install" &&
      command.includes("--mode=0400") &&
      [file, variable("FTLE_NATS_CA")?.value ?? ""].every((path) =>
        command.some((word) => word !== path && basename(word) === basename(path)),
      ),
  );
  const secret = volumes.find((volume) => volume.secret !== undefined);
  return [
    ...rules,
    [url.startsWith("tls:"), "a key without TLS"],
    [basename(file) === `${role}.nk`, "the key of another role"],
    // What is mounted from a Secret with an fsGroup can be read by the group: the program would refuse it.
    [
      inVolume(file)?.emptyDir?.medium === "Memory" && copying !== undefined,
      "a key that the program would refuse",
    ],
    [
      secret?.secret?.secretName === `ftle-${role}-key` && secret.secret.defaultMode === 0o440,
      "the key cannot be read, or by everybody",
    ],
  ];
}
