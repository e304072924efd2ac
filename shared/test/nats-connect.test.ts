import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BrokerError, UsageError } from "../errors.ts";
import { makeKeys } from "../testing/nats-keys.ts";
import type { TestServerOptions } from "../testing/nats-server.ts";
import { oldNatsServerBinary, startNatsServer } from "../testing/nats-server.ts";
import type { BrokerOptions } from "../transport/nats/connect.ts";
import { connectBroker } from "../transport/nats/connect.ts";
import { isSetUp, SETUP_DEFAULTS, setup } from "../transport/nats/setup.ts";

const SECRET = "hunter2";
const waitMs = 500;

let folder: string;
let keys: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "ftle-connect-"));
  keys = join(folder, "keys");
  await makeKeys("--out", keys);
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("connect: where nothing listens, it says so after the time it may wait", async () => {
  const { port } = await closedPort();
  await refused({ url: `nats://127.0.0.1:${port}` }, [
    BrokerError,
    `expected a NATS server at nats://127.0.0.1:${port}, found none`,
    "connection refused",
    "nats-server -js",
  ]);
});

test("connect: a broker that comes while it waits is taken", async () => {
  const { port } = await closedPort();
  const url = `nats://127.0.0.1:${port}`;
  const connecting = connectBroker({ url }, { waitMs: 60_000 });
  const server = await startNatsServer({ port });
  try {
    await (await connecting).close();
  } finally {
    await server.stop();
  }
});

test("connect: a host that does not exist is named", async () => {
  await refused({ url: "nats://no-such-host.invalid:4222" }, [
    BrokerError,
    "nats://no-such-host.invalid:4222",
    /found no such host|found none/,
    "check the URL",
  ]);
});

test("connect: a URL that is none is refused, and a password in it not told", async () => {
  const nonsense = [
    "",
    ",",
    "nats://",
    "http://host:1",
    "nats://h:99999",
    "ws://h:1",
    "nats://a b",
  ];
  const secret = [
    `nats://u:${SECRET}@ho st:4222`,
    `u:${SECRET}@h:99999`,
    `nats://u:${SECRET}/${SECRET}@h:1`,
    `nats://u:${SECRET},${SECRET}@h:1`,
    `nats://u:${SECRET}%zz@h:1`,
    `nats://u:${SECRET}@${SECRET}@h:x`,
    `nats://h:1,http://u:${SECRET}@h:1`,
  ];
  for (const url of [...nonsense, ...secret]) {
    await refused({ url }, [UsageError, "expected a URL such as nats://host:4222"]);
  }
});

test("connect: a wrong and a missing password are told apart", async () => {
  await withServer({ config: "authorization { user: u, password: p }" }, async (url) => {
    await refused({ url: url.replace("//", `//u:${SECRET}@`) }, [
      BrokerError,
      `the broker at ${url} refused us`,
      "the user, password or key is wrong",
      "--nats-credentials",
    ]);
    await refused({ url }, [BrokerError, `the broker at ${url} refused us`, "none was given"]);
    const right = await connectBroker({ url: url.replace("//", "//u:p@") });
    await right.close();
  });
});

test("connect: special characters of a password are told with %XX", async () => {
  const config = 'authorization { user: "u@x", password: "a/b:c,d" }';
  await withServer({ config }, async (url) => {
    const [user, password] = ["u@x", "a/b:c,d"].map(encodeURIComponent);
    await (await connectBroker({ url: url.replace("//", `//${user}:${password}@`) })).close();
  });
});

test("connect: an expired certificate is told from one of an unknown authority", async () => {
  const tlsCa = join(keys, "ca.pem");
  await withServer({ config: tls(join(keys, "server.pem"), join(keys, "server-key.pem")) }, (url) =>
    refused({ url }, [
      BrokerError,
      /expected the certificate .* from a known authority/,
      "--nats-ca",
    ]),
  );
  const { certificate, key } = expired();
  await withServer({ config: tls(certificate, key) }, (url) =>
    refused({ url, tlsCa }, [BrokerError, `the broker at ${url} has expired`, "renewed"]),
  );
});

test("connect: a certificate for another name says for which", async () => {
  const { certificate, key } = signed({ days: 1, names: "DNS:broker.example.org" });
  await withServer({ config: tls(certificate, key) }, (url) =>
    refused({ url, tlsCa: join(keys, "ca.pem") }, [
      BrokerError,
      "for other names",
      "broker.example.org",
    ]),
  );
});

test("connect: who asks for TLS gets no connection without", async () => {
  await withServer({}, async (url) => {
    await refused({ url: url.replace("nats:", "tls:") }, [
      BrokerError,
      "to use TLS, as tls:// requires",
    ]);
    await refused({ url, tlsCa: join(keys, "ca.pem") }, [BrokerError, "to use TLS, as --nats-ca"]);
  });
});

test("connect: a file with no certificate, and files that are not there, are named", async () => {
  const url = "nats://127.0.0.1:1";
  const empty = join(folder, "empty.pem");
  await writeFile(empty, "");
  await refused({ url, tlsCa: empty }, [UsageError, `expected ${empty} to hold a certificate`]);
  const missing = join(folder, "missing");
  await refused({ url, tlsCa: missing }, [UsageError, `cannot read ${missing}`]);
  await refused({ url, credentials: missing }, [UsageError, `cannot read ${missing}`]);
});

test("connect: a server before 2.10 is too old", async (t) => {
  const binary = await oldNatsServerBinary();
  if (binary === null) {
    t.skip("no nats-server before 2.10 could be had");
    return;
  }
  await withServer({ binary }, (url) =>
    refused({ url }, [BrokerError, "expected nats-server 2.10 or later", /found 2\.\d\./]),
  );
});

test("connect: a server without JetStream says how to switch it on", async () => {
  await withServer({ jetstream: false }, (url) =>
    refused({ url }, [BrokerError, `the broker at ${url}`, "JetStream switched off", "-js"]),
  );
});

test("setup: an account without JetStream is told at once", async () => {
  const accounts = `accounts {
    WITH { jetstream: enabled, users: [{ user: a, password: p }] }
    WITHOUT { users: [{ user: b, password: p }] }
  }`;
  await withServer({ config: accounts }, async (url) => {
    const broker = await connectBroker({ url: url.replace("//", "//b:p@") });
    const claims = [BrokerError, "no JetStream for the account", "jetstream: enabled"] as const;
    await fails(() => setup(broker), claims);
    await fails(() => isSetUp(broker), claims);
    await broker.close();
  });
});

test("setup: a store too small for the streams says what to raise or to ask less of", async () => {
  await withServer({ jetstream: "max_file_store: 1MB" }, async (url) => {
    const broker = await connectBroker({ url });
    await fails(
      () => setup(broker),
      [BrokerError, "no room for stream FTLE_RESULTS", "max_file_store", "--result-bytes"],
    );
    await setup(broker, { ...SETUP_DEFAULTS, resultBytes: 2 ** 19 });
    await broker.close();
  });
});

test("setup: no memory for the list of workers says what to raise", async () => {
  await withServer({ jetstream: "max_memory_store: 0" }, async (url) => {
    const broker = await connectBroker({ url });
    await fails(() => setup(broker), [BrokerError, "KV_ftle_workers", "max_memory_store"]);
    await broker.close();
  });
});

test("setup: copies that one server cannot keep are refused", async () => {
  await withServer({}, async (url) => {
    const broker = await connectBroker({ url });
    await fails(
      () => setup(broker, { ...SETUP_DEFAULTS, replicas: 3 }),
      [BrokerError, "did not create stream FTLE_TASKS", "replicas > 1 not supported"],
    );
    await broker.close();
  });
});

test("connect: a port that speaks something else is told", async () => {
  const http = createHttpServer((_, response) => response.end("hello"));
  const silent = await portOf(http);
  await refused({ url: `nats://127.0.0.1:${silent}` }, [
    BrokerError,
    `expected a NATS server at nats://127.0.0.1:${silent}`,
    "does not use the NATS protocol",
  ]);
  http.closeAllConnections();
  http.close();

  const ssh = createServer((socket) => {
    socket.on("error", () => {}); // the client hangs up
    socket.write("SSH-2.0-OpenSSH_9.2\r\n");
  });
  const loud = await portOf(ssh);
  await refused({ url: `nats://127.0.0.1:${loud}` }, [BrokerError, "found another service"]);
  ssh.close();
});

type Claim = typeof BrokerError | typeof UsageError | string | RegExp;

/** One line, with what is claimed, no stack and no password in it. */
async function fails(action: () => Promise<unknown>, claims: readonly Claim[]): Promise<void> {
  await assert.rejects(action, (error: Error) => {
    const { message } = error;
    for (const claim of claims) {
      if (typeof claim === "string") assert.ok(message.includes(claim), `${claim} in: ${message}`);
      else if (claim instanceof RegExp) assert.match(message, claim);
      else assert.ok(error instanceof claim, `${error.name}: ${message}`);
    }
    assert.doesNotMatch(message, /\n|at async|node:internal|\.[jt]s:\d/);
    for (let e: unknown = error; e instanceof Error; e = e.cause) {
      assert.ok(!`${e.message} ${e.stack}`.includes(SECRET), `tells the password: ${e.message}`);
    }
    return true;
  });
}

async function refused(options: BrokerOptions, claims: readonly Claim[]): Promise<void> {
  await fails(() => connectBroker(options, { waitMs }), claims);
}

async function withServer(
  options: TestServerOptions,
  body: (url: string) => Promise<void>,
): Promise<void> {
  const server = await startNatsServer(options);
  try {
    await body(server.url);
  } finally {
    await server.stop();
  }
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens. */
async function closedPort(): Promise<{ port: number }> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, "close");
  return { port };
}

function tls(certificate: string, key: string): string {
  return `tls { cert_file: "${certificate}", key_file: "${key}" }`;
}

/** A certificate for loopback that our authority made, good until yesterday. */
function expired() {
  return signed({ days: -1, names: "IP:127.0.0.1" });
}

function signed({ days, names }: { days: number; names: string }) {
  const path = (end: string) => join(folder, `${names.replace(/\W/g, "-")}.${end}`);
  const [key, request, certificate] = ["key", "csr", "pem"].map(path);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${names}`];
  openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key!);
  openssl("req", "-new", "-key", key!, "-out", request!, ...subject);
  const ca = ["-CA", join(keys, "ca.pem"), "-CAkey", join(keys, "ca-key.pem"), "-set_serial", "2"];
  const copied = ["-copy_extensions", "copyall", "-days", String(days)];
  openssl("x509", "-req", "-in", request!, ...ca, ...copied, "-out", certificate!);
  return { certificate: certificate!, key: key! };
}
