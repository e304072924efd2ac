/** Keys for tests, made by the published script (`deploy/nats/make-keys.mjs`), and a server that accepts them. */

import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Broker, ConnectOptions } from "../transport/nats/connect.ts";
import { connectBroker } from "../transport/nats/connect.ts";
import type { Role } from "../transport/nats/names.ts";
import { INBOXES } from "../transport/nats/names.ts";
import type { TestServer, TestServerOptions } from "./nats-server.ts";
import { startNatsServer } from "./nats-server.ts";
import { repositoryFile } from "./repository.ts";

const SHIPPED = fileURLToPath(repositoryFile("deploy/nats/"));
const run = promisify(execFile);

/** Runs the script. @throws Error with its output if it fails. */
export async function makeKeys(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(SHIPPED, "make-keys.mjs"), ...args]);
  return stdout;
}

export interface SecuredServer extends TestServer {
  /** The configuration; what the script made is in `keys/`. */
  readonly folder: string;
  key(name: string): string;
  readonly ca: string;
  connect(role: Role, options?: ConnectOptions): Promise<Broker>;
  /** Has the server read its configuration again. */
  reload(): void;
}

/** A server with the published configuration; only ports and paths differ. */
export async function startSecuredServer(
  options: Pick<TestServerOptions, "args" | "binary" | "config"> = {},
): Promise<SecuredServer> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-secured-"));
  await makeKeys("--out", join(folder, "keys"));
  await copyFile(join(SHIPPED, "roles.conf"), join(folder, "roles.conf"));
  const shipped = await readFile(join(SHIPPED, "ftle.conf"), "utf8");
  const config = shipped
    .replace(/^(listen|http):.*$/gm, "")
    .replace(/^include "(.*)"/gm, `include "../${basename(folder)}/$1"`);
  const server = await startNatsServer({
    ...options,
    jetstream: false, // the configuration has it
    config: `${config}\n${options.config ?? ""}`,
  });
  const key = (name: string) => join(folder, "keys", `${name}.nk`);
  const ca = join(folder, "keys", "ca.pem");
  const added = {
    folder,
    key,
    ca,
    connect: (role: Role, more?: ConnectOptions) =>
      connectBroker(
        { url: server.url, credentials: key(role), tlsCa: ca, inboxPrefix: INBOXES[role] },
        more,
      ),
    reload() {
      process.kill(server.pid, "SIGHUP");
    },
  };
  return Object.assign(server, added, { stop: stopBoth(server, folder) });
}

function stopBoth(server: TestServer, folder: string): () => Promise<void> {
  const { stop } = server;
  return async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  };
}
