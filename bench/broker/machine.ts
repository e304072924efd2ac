/** Where it was measured, without the date: only what affects the figures. */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { natsServerBinary } from "../../shared/testing/nats-server.ts";
import { firstLine } from "./processes.ts";
import { peer, peersLack } from "./redis.ts";

export async function describeBroker(): Promise<string> {
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const server = firstLine(await natsServerBinary(), ["--version"]);
  return [
    "# The broker, measured",
    "",
    "Written by `npm run bench:broker -- --write`. Medians, with the least and the largest; the machine is shared, so ratios of neighbours are more reliable than rates.",
    "",
    `- ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${memory} GiB; everything on this one machine, over loopback`,
    `- Node ${process.versions.node}, ${server}, clients @nats-io ${versionOf("../../node_modules/@nats-io/transport-node")}`,
    `- Compared with: ${peersLack() ?? peersVersions()}`,
  ].join("\n");
}

function peersVersions(): string {
  const redis = /v=([\d.]+)/.exec(firstLine("redis-server", ["--version"]))?.[1];
  const [bullmq, ioredis] = ["bullmq", "ioredis"].map((name) => {
    return JSON.parse(readFileSync(peer(`node_modules/${name}/package.json`), "utf8")).version;
  });
  return `BullMQ ${bullmq}, ioredis ${ioredis}, Redis ${redis}`;
}

function versionOf(folder: string): string {
  const path = new URL(`${folder}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8")).version;
}
