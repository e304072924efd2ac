/** The URL of a broker: one server or several, the first perhaps with a user. */
import { UsageError } from "../../errors.ts";

/** @throws UsageError, without the password. */
export function serversIn(url: string): URL[] {
  try {
    const servers = url.split(",").map((one) => {
      const text = one.trim();
      return new URL(text.includes("://") ? text : `nats://${text}`);
    });
    const isOurs = ({ hostname, protocol }: URL) =>
      hostname !== "" && /^(nats|tls):$/.test(protocol);
    if (servers.every(isOurs)) return servers;
  } catch {
    // The parser's message quotes the URL with its password: ours does not.
  }
  throw badUrl(url);
}

/** User and password of the URL; null without a user, `password` empty for a token. */
export function userIn(url: string): { username: string; password: string } | null {
  const { username, password } = serversIn(url)[0]!;
  if (username === "") return null;
  return { username: decoded(username, url), password: decoded(password, url) };
}

export function withoutUser({ protocol, host, port }: URL): string {
  return `${protocol}//${port === "" ? `${host}:4222` : host}`;
}

function decoded(text: string, url: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl(url);
  }
}

function badUrl(url: string): UsageError {
  const shown = url.replace(/^(\w+:\/\/)?.*@/s, "$1…@");
  const hint = url.includes("@")
    ? ", and special characters of a password as %XX (@ is %40, / is %2F)"
    : "";
  return new UsageError(`expected a URL such as nats://host:4222${hint}, got ${shown}`);
}
