#!/usr/bin/env node
/**
 * Makes what ftle.conf needs: an authority, the server's certificate from it, a key for each role, and the list of
 * their public halves. For trials, and for clusters whose authority is one file; needs `openssl`.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nkeys } from "@nats-io/transport-node";

const HELP = `make-keys.mjs [HOST…]          all keys; HOST: names and addresses of the server, besides localhost
make-keys.mjs --add ROLE       one more key of a role: coordinator, worker or observer
make-keys.mjs --renew [HOST…]  a new certificate for the server, from the same authority

  --out DIR       where they are kept (default: keys/ beside this file)
  --store DIR     where the server is to keep its streams (default: data/ beside DIR)
  --days N        how long the server's certificate is good (default: 397)
  --replace       throw away the keys that are there`;

const ROLES = ["coordinator", "worker", "observer"];
/** What may be thrown away with --replace. */
const OURS = /^(\w+(-\d+)?\.nk|(ca|server)(-key)?\.pem|(users|paths)\.conf)$/;
const AUTHORITY_DAYS = 3650;
const here = dirname(fileURLToPath(import.meta.url));

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`make-keys: ${error.message}`);
  process.exitCode = 2;
}

function main(argv) {
  const { values, positionals: hosts } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      add: { type: "string" },
      renew: { type: "boolean", default: false },
      out: { type: "string", default: join(here, "keys") },
      store: { type: "string" },
      days: { type: "string", default: "397" },
      replace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const odd = hosts.find((host) => isIP(host) === 0 && !/^[\w*]([\w.-]*\w)?$/.test(host));
  if (odd !== undefined) throw new Error(`expected names or addresses of hosts, got ${odd}`);
  const days = Number(values.days);
  if (!Number.isInteger(days) || days < 1)
    throw new Error(`expected --days to be an integer ≥ 1, got ${values.days}`);
  process.umask(0o077);
  const out = resolve(values.out);
  if (values.add !== undefined) addKey(out, values.add);
  else if (values.renew) renew(out, hosts, days);
  else makeAll(out, hosts, { days, store: values.store, isToReplace: values.replace });
}

function makeAll(out, hosts, { days, store, isToReplace }) {
  const found = existsSync(out) ? readdirSync(out) : [];
  if (found.length > 0 && !isToReplace) {
    throw new Error(
      `expected no keys in ${out}, found ${found.join(", ")}. Nothing was changed; --replace makes all of them again (every client then needs its new key and the new ca.pem), --add ROLE one more, --renew the server's certificate`,
    );
  }
  const foreign = found.filter((file) => !OURS.test(file));
  if (foreign.length > 0) {
    throw new Error(
      `expected only keys in ${out}, found ${foreign.join(", ")}; nothing was changed`,
    );
  }
  const made = `${out}.new`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(made, { recursive: true });
  makeAuthority(made);
  certify(made, hosts, days);
  const lists = ROLES.map((role) => {
    const entry = makeKey(made, role);
    return `${listOf(role)}: [\n  ${entry}\n]\n`;
  });
  writeFileSync(
    join(made, "users.conf"),
    `# Public keys by role; made by make-keys.mjs. A key whose line is removed is refused, after\n# nats-server --signal reload\n${lists.join("")}`,
  );
  writeFileSync(
    join(made, "paths.conf"),
    `# Where things are on this machine; made by make-keys.mjs.
STORE: ${quoted(resolve(store ?? join(dirname(out), "data")))}
CERTIFICATE: ${quoted(join(out, "server.pem"))}
CERTIFICATE_KEY: ${quoted(join(out, "server-key.pem"))}
AUTHORITY: ${quoted(join(out, "ca.pem"))}
`,
  );
  rmSync(out, { recursive: true, force: true });
  renameSync(made, out);
  console.log(`Made in ${out}:
  coordinator.nk, worker.nk, observer.nk   seeds: give each machine the one of its role, and no other
  ca.pem                                   give it to every machine
  server.pem, server-key.pem               stay with the server: good for ${days} days
  users.conf, paths.conf                   are read by ftle.conf
  ca-key.pem                               keep it away from the network: it makes servers`);
}

function addKey(out, role) {
  if (!ROLES.includes(role)) throw new Error(`expected a role, ${ROLES.join(", ")}, got ${role}`);
  const list = join(out, "users.conf");
  if (!existsSync(list)) throw new Error(`expected keys in ${out}, found none; make them first`);
  const text = readFileSync(list, "utf8");
  const head = `${listOf(role)}: [\n`;
  if (!text.includes(head)) throw new Error(`expected a line "${head.trim()}" in ${list}`);
  let n = 2;
  while (existsSync(join(out, `${role}-${n}.nk`))) n++;
  const entry = makeKey(out, `${role}-${n}`);
  writeFileSync(list, text.replace(head, `${head}  ${entry}\n`));
  console.log(
    `Made ${join(out, `${role}-${n}.nk`)}. The server accepts it after: nats-server --signal reload`,
  );
}

function renew(out, hosts, days) {
  if (!existsSync(join(out, "ca-key.pem")))
    throw new Error(`expected the authority's ca-key.pem in ${out}, found none`);
  certify(out, hosts, days);
  console.log(
    `Made ${join(out, "server.pem")}, good for ${days} days. The server uses it after: nats-server --signal reload`,
  );
}

/** Writes a seed to a file that its owner alone may read. @returns the public key's entry. */
function makeKey(folder, name) {
  const pair = nkeys.createUser();
  const file = join(folder, `${name}.nk`);
  writeFileSync(file, `${new TextDecoder().decode(pair.getSeed())}\n`, { mode: 0o600, flag: "wx" });
  return `{ nkey: ${pair.getPublicKey()} } # ${name}.nk`;
}

function listOf(role) {
  return `${role.toUpperCase()}S`;
}

function makeAuthority(folder) {
  const config = `[req]
distinguished_name = dn
x509_extensions = authority
prompt = no
[dn]
CN = ftle authority
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;
  withFile(config, (file) => {
    const key = join(folder, "ca-key.pem");
    const certificate = join(folder, "ca.pem");
    openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);
    openssl(
      ["req", "-x509", "-new", "-sha256", "-config", file, "-key", key].concat([
        "-days",
        String(AUTHORITY_DAYS),
        "-out",
        certificate,
      ]),
    );
    chmodSync(certificate, 0o644);
  });
}

/** The server's certificate; also good for joining a cluster, where each server is a client of the others. */
function certify(folder, hosts, days) {
  const names = [...new Set(["localhost", "127.0.0.1", ...hosts])];
  const alternatives = names.map((name) => `${isIP(name) === 0 ? "DNS" : "IP"}:${name}`);
  const config = `[req]
distinguished_name = dn
prompt = no
[dn]
CN = ${names.at(2) ?? "localhost"}
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = ${alternatives.join(", ")}
`;
  withFile(config, (file) => {
    const [key, request, certificate] = ["key", "csr", "pem"].map((end) => `${file}.${end}`);
    openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key]);
    openssl(["req", "-new", "-sha256", "-config", file, "-key", key, "-out", request]);
    openssl(
      ["x509", "-req", "-sha256", "-in", request, "-out", certificate]
        .concat(["-CA", join(folder, "ca.pem"), "-CAkey", join(folder, "ca-key.pem")])
        .concat(["-set_serial", `0x${serial()}`, "-days", String(days)])
        .concat(["-extfile", file, "-extensions", "server"]),
    );
    writeFileSync(join(folder, "server-key.pem"), readFileSync(key), { mode: 0o600 });
    writeFileSync(join(folder, "server.pem"), readFileSync(certificate));
    chmodSync(join(folder, "server.pem"), 0o644);
  });
}

function serial() {
  return `4${crypto.randomUUID().replaceAll("-", "").slice(1)}`; // positive, not zero
}

function withFile(text, use) {
  const folder = mkdtempSync(join(tmpdir(), "ftle-keys-"));
  try {
    const file = join(folder, "openssl.cnf");
    writeFileSync(file, text);
    use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function openssl(args) {
  const { error, status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
  if (error !== undefined) throw new Error(`expected openssl on PATH: ${error.message}`);
  if (status !== 0) throw new Error(`openssl ${args[0]} failed: ${stderr.trim()}`);
}

/** As a string of the server's configuration. */
function quoted(path) {
  if (/["\\\n]/.test(path)) throw new Error(`expected a path without quotes, got ${path}`);
  return `"${path}"`;
}
