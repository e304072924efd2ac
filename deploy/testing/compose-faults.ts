/** What `docker compose config --format json` says of deploy/compose/compose.yaml, and what in it would be a fault. */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { METRICS_PORTS } from "../../shared/metrics/ports.ts";

export interface ComposeService {
  readonly image: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly { host_ip?: string; published?: string }[];
  readonly volumes?: readonly {
    type: string;
    source: string;
    target: string;
    read_only?: boolean;
  }[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly read_only?: boolean;
  readonly privileged?: boolean;
  readonly network_mode?: string;
  readonly pid?: string;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly deploy?: {
    readonly resources?: { readonly limits?: { readonly cpus?: number; readonly memory?: string } };
  };
}

export interface ComposeConfig {
  readonly services: Readonly<Record<string, ComposeService>>;
}

/** What holds for every container. */
export function containmentFaults({ services }: ComposeConfig): string[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const isOurs = service.image.startsWith("ftle-sweeper:");
    const rules: readonly [boolean, string][] = [
      [
        isOurs || /:v?\d+\.\d+\.\d+[\w.-]*(@sha256:\w{64})?$/.test(service.image),
        "image not pinned",
      ],
      [service.read_only === true, "root can be written to"],
      [service.privileged !== true && service.cap_add === undefined, "has rights"],
      [service.cap_drop?.includes("ALL") === true, "keeps capabilities"],
      [service.security_opt?.includes("no-new-privileges:true") === true, "can gain rights"],
      [
        service.network_mode === undefined && service.pid === undefined,
        "shares the host's network or processes",
      ],
      [service.healthcheck !== undefined, "no health check"],
      [service.restart !== undefined, "stays down after a crash"],
      [service.stop_grace_period !== undefined, "no stop_grace_period"],
      [Number(service.deploy?.resources?.limits?.memory ?? 0) > 0, "no limit of memory"],
      [
        (service.ports ?? []).every((port) => port.host_ip === "127.0.0.1"),
        "a port that others can reach",
      ],
      [
        mounts(service).every((mount) => mount.read_only === true),
        "a file of the host's that can be written to",
      ],
      [mounts(service).every((mount) => existsSync(mount.source)), "mounts what is not there"],
    ];
    return rules.filter(([holds]) => !holds).map(([, fault]) => `${name}: ${fault}`);
  });
}

/** What holds between the file and the program: `commands` by the service that runs each. */
export function programFaults(
  { services }: ComposeConfig,
  commands: Readonly<Record<keyof typeof METRICS_PORTS, Command>>,
  farewellSeconds: number,
): string[] {
  return (["coordinator", "worker"] as const).flatMap((name) => {
    const service = services[name];
    if (service === undefined) return [`${name}: no such service`];
    const { options } = commands[name];
    const environment = Object.entries(service.environment ?? {});
    const unknown = [
      ...environment
        .map(([variable]) => variable)
        .filter(
          (variable) => variable.startsWith("FTLE_") && !options.some((o) => o.envVar === variable),
        ),
      ...(service.command ?? []).filter(
        (word) => word.startsWith("-") && !options.some((o) => o.long === word),
      ),
    ];
    const limits = service.deploy?.resources?.limits;
    const heapBytes =
      2 ** 20 *
      Number(/--max-old-space-size=(\d+)/.exec(service.environment?.NODE_OPTIONS ?? "")?.[1]);
    // A coordinator computes in no thread; a worker in as many as there are whole CPUs, each with a heap of its own.
    const heaps = name === "worker" ? 1 + Math.max(1, Math.floor(limits?.cpus ?? Number.NaN)) : 1;
    const port = METRICS_PORTS[name];
    const rules: readonly [boolean, string][] = [
      [unknown.length === 0, `the program does not know ${unknown.join(", ")}`],
      [service.command?.[0] === commands[name].name(), "runs another command"],
      [
        service.environment?.FTLE_NATS === "nats://nats:4222",
        "another broker than the service nats",
      ],
      [service.environment?.FTLE_METRICS === `0.0.0.0:${port}`, "metrics at another port"],
      [
        service.healthcheck?.test.join(" ").includes(`:${port}/readyz`) === true,
        "asks for health elsewhere",
      ],
      [heapBytes * heaps <= 0.75 * Number(limits?.memory), "node's heaps may outgrow the memory"],
      [
        seconds(service.stop_grace_period) >
          graceSeconds(service, commands[name]) + farewellSeconds,
        "is killed before it has given its tasks back",
      ],
    ];
    return rules.filter(([holds]) => !holds).map(([, fault]) => `${name}: ${fault}`);
  });
}

function mounts(service: ComposeService) {
  return (service.volumes ?? []).filter(({ type }) => type === "bind");
}

function graceSeconds({ command = [] }: ComposeService, program: Command): number {
  const option = program.options.find(({ long }) => long === "--grace");
  if (option === undefined) return 0;
  const at = command.indexOf("--grace");
  return at < 0 ? option.defaultValue / 1000 : seconds(command[at + 1]);
}

/** `1m30s` */
export function seconds(text = ""): number {
  const [, minutes = 0, rest = 0] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [0, Number.NaN];
  return 60 * Number(minutes) + Number(rest);
}
