/** What a connection proves who it is with, and whose certificates it trusts. */
import { readFile, stat } from "node:fs/promises";
import type { NodeConnectionOptions } from "@nats-io/transport-node";
import { credsAuthenticator, nkeyAuthenticator, nkeys } from "@nats-io/transport-node";
import { UsageError } from "../../errors.ts";
import { serversIn, userIn } from "./broker-url.ts";

interface Credentials {
  readonly url: string;
  readonly credentials?: string | undefined;
  readonly tlsCa?: string | undefined;
}

/**
 * From the credentials file, or else from the URL.
 * @throws UsageError if others may read the file, or it holds no key.
 */
export async function identity({
  url,
  credentials,
}: Credentials): Promise<Pick<NodeConnectionOptions, "authenticator" | "user" | "pass" | "token">> {
  if (credentials !== undefined) return { authenticator: await authenticatorIn(credentials) };
  const user = userIn(url);
  if (user === null) return {};
  const { username, password } = user;
  return password === "" ? { token: username } : { user: username, pass: password };
}

/**
 * The client uses TLS where the server offers it; with this option it refuses servers without.
 * @throws UsageError if the file holds no certificate.
 */
export async function encryption({
  url,
  tlsCa,
}: Credentials): Promise<Pick<NodeConnectionOptions, "tls">> {
  if (tlsCa === undefined) {
    return serversIn(url).some(({ protocol }) => protocol === "tls:") ? { tls: {} } : {};
  }
  const ca = await readText(tlsCa);
  if (/-----BEGIN (TRUSTED )?CERTIFICATE-----/.test(ca)) return { tls: { ca } };
  throw new UsageError(`expected ${tlsCa} to hold a certificate (PEM), found none`);
}

async function authenticatorIn(path: string) {
  await refuseReadableByOthers(path);
  const text = await readText(path);
  const bytes = new TextEncoder().encode(text.trim());
  if (holdsCredentials(text)) {
    // The parser requires the end of the last line.
    return credsAuthenticator(new TextEncoder().encode(`${text.trim()}\n`));
  }
  if (isSeed(bytes)) return nkeyAuthenticator(bytes);
  throw new UsageError(
    `expected ${path} to hold an nkey seed of a user (SU…) or credentials with a JWT, found neither`,
  );
}

/** Whether this is a `.creds` file: a JWT and its seed, each between two lines of dashes. */
function holdsCredentials(text: string): boolean {
  const seed = /\bSU[A-Z2-7]{56}\b/.exec(text)?.[0] ?? "";
  const hasJwt = /BEGIN NATS USER JWT-+\r?\n[\w-]+\.[\w-]+\.[\w-]+\r?\n-/.test(text);
  return hasJwt && isSeed(new TextEncoder().encode(seed));
}

/** Whether this is a user's seed, complete and with the right checksum. */
function isSeed(bytes: Uint8Array): boolean {
  try {
    return nkeys.fromSeed(bytes).getPublicKey().startsWith("U");
  } catch {
    return false; // the message is dropped: it may contain the seed
  }
}

async function refuseReadableByOthers(path: string): Promise<void> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`cannot read ${path}: ${error.message}`);
  });
  if (process.platform === "win32" || (info.mode & 0o077) === 0) return;
  const mode = (info.mode & 0o777).toString(8).padStart(4, "0");
  throw new UsageError(
    `expected ${path} to be readable by its owner alone (0600), found ${mode}; do: chmod 600 ${path}`,
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
}
