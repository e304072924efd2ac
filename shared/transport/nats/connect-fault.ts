/** Why a connection failed, as a message for the user who gave the URL. */
import { AuthorizationError, UserAuthenticationExpiredError } from "@nats-io/transport-node";

export interface Fault {
  readonly message: string;
  /** Whether trying again may help: the broker may be about to start. */
  readonly mayPass: boolean;
}

export interface FaultPlace {
  /** The broker's URL without user and password. */
  readonly at: string;
  /** Whether the user gave credentials. */
  readonly hasIdentity: boolean;
  readonly tlsCa?: string | undefined;
}

export function connectFault(error: unknown, { at, hasIdentity, tlsCa }: FaultPlace): Fault {
  const texts = causes(error);
  const all = texts.join(": ");
  const lasting = (message: string) => ({ message, mayPass: false });
  if (isRefusal(error) || /authorization violation|authentication expired/i.test(all)) {
    const why = hasIdentity
      ? "the user, password or key is wrong or no longer valid"
      : "it requires a user or a key, and none was given";
    return lasting(
      `the broker at ${at} refused us: ${why}. Give --nats-credentials FILE, or user:password in the URL in the environment variable FTLE_NATS`,
    );
  }
  if (/CERT_HAS_EXPIRED|certificate has expired/.test(all)) {
    return lasting(
      `the certificate of the broker at ${at} has expired; it must be renewed there (or a clock is wrong)`,
    );
  }
  if (/ALTNAME|does not match certificate/.test(all)) {
    return lasting(
      `the certificate of the broker at ${at} is for other names (${texts.at(-1)}); use one of them, or have it issued for this one`,
    );
  }
  if (/self.signed|unable to (verify|get)|UNABLE_TO|SELF_SIGNED|CERT_/i.test(all)) {
    const expected = tlsCa === undefined ? "a known authority" : `the authority in ${tlsCa}`;
    return lasting(
      `expected the certificate of the broker at ${at} to be from ${expected}, found another (${texts.at(-1)}). Give the certificate of its authority with --nats-ca FILE`,
    );
  }
  if (/does not support 'tls'/.test(all)) {
    const asked = tlsCa === undefined ? "tls://" : "--nats-ca";
    return lasting(
      `expected the broker at ${at} to use TLS, as ${asked} requires, found that it does not`,
    );
  }
  if (/unexpected response/.test(all)) {
    return lasting(`expected a NATS server at ${at}, found another service there`);
  }
  if (/ENOTFOUND|Invalid URL/i.test(all)) {
    return lasting(`expected a broker at ${at}, found no such host; check the URL`);
  }
  if (error instanceof Error && /timeout/i.test(all) && !/ETIMEDOUT/.test(all)) {
    return {
      message: `expected a NATS server at ${at}, found none that answers in time: the service there, if any, does not use the NATS protocol. Check host and port`,
      mayPass: true,
    };
  }
  return {
    message: `expected a NATS server at ${at}, found none (${all}). Start one with \`nats-server -js\`, or check the URL`,
    mayPass: true,
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
}

/** The messages of an error and its causes; the code where a message is empty. */
function causes(error: unknown): string[] {
  const texts: string[] = [];
  for (let e = error; e instanceof Error; e = e.cause) {
    const { code } = e as NodeJS.ErrnoException;
    if (e.message !== "") texts.push(e.message);
    else if (code !== undefined) texts.push(String(code));
  }
  return texts.length > 0 ? [...new Set(texts)] : [String(error)];
}
