import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connect } from "@nats-io/transport-node";
import { UsageError } from "../../shared/errors.ts";
import { processStart } from "../../shared/process/process-start.ts";
import { natsServerBinary, oldNatsServerBinary } from "../../shared/testing/nats-server.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import type { EmbeddedBroker } from "../places/embedded-broker.ts";
import { startEmbeddedBroker } from "../places/embedded-broker.ts";
import { inFolder } from "./support/folder.ts";
import { ftleWith } from "./support/ftle.ts";
import { until } from "./support/until.ts";

test("embedded broker: accepts clients that have the password, and no others", async () => {
  await withBroker(async ({ url }) => {
    await withClient(url, async (nc) => {
      assert.equal(nc.info?.max_payload, 8 * 2 ** 20);
      assert.equal(nc.info?.jetstream, true);
    });
    const servers = new URL(url).host;
    for (const identity of [{}, { user: "ftle", pass: "guessed" }, { token: "ftle" }]) {
      await assert.rejects(connect({ servers, ...identity }), /authorization violation/i);
    }
  });
});

test("embedded broker: keeps its password from other users, and listens on loopback alone", async () => {
  await withBroker(async ({ url, pid, folder }) => {
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    const { password } = new URL(url);
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), "utf8").catch(() => "");
      if (!text.includes(password)) continue;
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600, name);
    }
    assert.doesNotMatch(await readFile(`/proc/${pid}/cmdline`, "utf8"), new RegExp(password));
    const addresses = await listening(pid);
    assert.deepEqual(addresses, [`127.0.0.1:${new URL(url).port}`]);
  });
});

test("embedded broker: stopped, it is gone with its folder", async () => {
  const broker = await start();
  await Promise.all([broker.stop(), broker.stop()]);
  await assertGone(broker);
  assert.equal(broker.lost.aborted, false);
});

test("embedded broker: killed, it is started again with the same URL and its messages", async () => {
  await withBroker(async (broker) => {
    await withClient(broker.url, async (nc) => {
      await (await jetstreamManager(nc)).streams.add({ name: "S", subjects: ["s"] });
      await jetstream(nc).publish("s", "hello");
    });
    for (let kills = 0; kills < 2; kills++) {
      const { pid } = broker;
      process.kill(pid, "SIGKILL");
      await until("another server runs", () => broker.pid !== pid);
    }
    await withClient(broker.url, async (nc) => {
      const { state } = await (await jetstreamManager(nc)).streams.info("S");
      assert.equal(state.messages, 1);
    });
    assert.equal(broker.lost.aborted, false);
  });
});

test("embedded broker: may be stopped while it is being started again", async () => {
  const broker = await start();
  process.kill(broker.pid, "SIGKILL");
  await until("the server is gone", () => isGone(broker.pid));
  await broker.stop();
  await assertGone(broker);
});

test("embedded broker: a server that cannot be started again is lost, with what it said", async () => {
  await inFolder(async (folder) => {
    const command = join(folder, "server");
    const script = `#!/bin/sh\n[ ! -e "$0.broken" ] || { echo no more; exit 1; }\nexec '${await natsServerBinary()}' "$@"\n`;
    await writeFile(command, script);
    await chmod(command, 0o755);
    const broker = await startEmbeddedBroker({ command });
    try {
      await writeFile(`${command}.broken`, "");
      process.kill(broker.pid, "SIGKILL");
      await until("the broker is lost", () => broker.lost.aborted);
      assert.match(
        String(broker.lost.reason),
        /BrokerError: .*cannot be brought back(.|\n)*no more/,
      );
    } finally {
      await broker.stop();
    }
    await assertGone(broker);
  });
});

test("embedded broker: a server that ends again and again is lost", async () => {
  await withBroker(async (broker) => {
    while (!broker.lost.aborted) {
      const { pid } = broker;
      process.kill(pid, "SIGKILL");
      await until("another server runs", () => broker.pid !== pid || broker.lost.aborted);
    }
    assert.match(String(broker.lost.reason), /6 times within a minute/);
  });
});

test("embedded broker: is gone with its folder when its owner is killed", async () => {
  const { owner, broker } = await ownerOfBroker();
  owner.kill("SIGKILL");
  await until("the folder is gone", () => !existsSync(broker.folder));
  await assertGone(broker);
});

test("embedded broker: is gone with its folder when its owner is killed right after the server", async () => {
  const { owner, broker } = await ownerOfBroker();
  owner.kill("SIGSTOP"); // it cannot start another
  process.kill(broker.pid, "SIGKILL");
  await until("the server is gone", () => isGone(broker.pid));
  owner.kill("SIGKILL");
  await until("the folder is gone", () => !existsSync(broker.folder));
});

test("embedded broker: outlives Ctrl-C in the terminal for as long as its owner", async () => {
  const { owner, broker, said } = await ownerOfBroker();
  for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) process.kill(-owner.pid!, signal);
  await until("the owner had the signals", () => said.length === 4);
  await withClient(broker.url, async (nc) => {
    await nc.flush();
  });
  assert.equal(await isGone(broker.pid), false);
  owner.stdin!.end(); // and now it stops by itself, without stopping the broker
  await once(owner, "exit");
  await until("the folder is gone", () => !existsSync(broker.folder));
  await assertGone(broker);
});

test("embedded broker: is gone when its guard and then its owner are killed", async () => {
  const { owner, broker, said } = await ownerOfBroker();
  const { pid } = broker;
  process.kill(await parentOf(pid), "SIGKILL");
  await until("the unguarded server is gone", () => isGone(pid));
  await until("another server runs", () => said.length === 2);
  const next = said[1]!.pid;
  owner.kill("SIGKILL");
  await until("the folder is gone", () => !existsSync(broker.folder));
  await assertGone({ pid: next, folder: broker.folder });
});

test("embedded broker: without a server it says how to get one", async () => {
  await assert.rejects(
    startEmbeddedBroker({ command: "no-such-nats-server" }),
    (error: unknown) => {
      assert(error instanceof UsageError);
      assert.match(error.message, /found no no-such-nats-server.*\n.*apt install(.|\n)*--nats/);
      return true;
    },
  );
});

test("embedded broker: refuses a server that is too old, naming its version", async (t) => {
  const command = await oldNatsServerBinary();
  if (command === null) {
    t.skip("no nats-server before 2.10 can be had here");
    return;
  }
  await assert.rejects(startEmbeddedBroker({ command }), (error: unknown) => {
    assert(error instanceof UsageError);
    assert.match(error.message, /needs nats-server 2\.10 or later, found nats-server: v2\.9\./);
    return true;
  });
});

test("embedded broker: refuses what is not nats-server", async () => {
  for (const command of ["true", "false"]) {
    await assert.rejects(startEmbeddedBroker({ command }), UsageError);
  }
});

test("embedded broker: without a temporary folder, TMPDIR is named, with exit code 2 and no stack", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, "axes: {width: 2, depth: 1}\nfield: none\n");
    const FTLE_NATS_SERVER = await natsServerBinary();
    for (const [TMPDIR, code] of [
      [join(folder, "none"), "ENOENT"],
      [spec, "ENOTDIR"],
    ] as const) {
      const run = ["run", spec, "--cluster", "--out", join(folder, "out")];
      const ending = await ftleWith({ FTLE_NATS_SERVER, TMPDIR }, ...run);
      assert.equal(ending.code, 2, ending.stderr);
      assert.match(
        ending.stderr,
        new RegExp(`expected TMPDIR to name .*, found ${TMPDIR}, .*${code}`),
      );
      assert.doesNotMatch(ending.stderr, /\n\s+at |internal fault/);
    }
  });
});

async function start(): Promise<EmbeddedBroker> {
  return await startEmbeddedBroker({ command: await natsServerBinary() });
}

async function withBroker(body: (broker: EmbeddedBroker) => Promise<void>): Promise<void> {
  const broker = await start();
  try {
    await body(broker);
  } finally {
    await broker.stop();
  }
  await assertGone(broker);
}

async function withClient(url: string, body: (nc: NatsConnection) => Promise<void>): Promise<void> {
  const { host, username, password } = new URL(url);
  const nc = await connect({ servers: host, user: username, pass: password });
  try {
    await body(nc);
  } finally {
    await nc.close();
  }
}

type Said = Pick<EmbeddedBroker, "url" | "pid" | "folder">;

/**
 * A process, leader of its group, with a broker. It reports the broker at the start, at every signal that it
 * gets, and when another server runs; it ends when its standard input does.
 */
async function ownerOfBroker(): Promise<{ owner: ChildProcess; broker: Said; said: Said[] }> {
  const script = `
    import { startEmbeddedBroker } from ${JSON.stringify(moduleFile("cli/places/embedded-broker").href)};
    const broker = await startEmbeddedBroker();
    const say = () => console.log(JSON.stringify(broker));
    for (const name of ["SIGINT", "SIGHUP", "SIGTERM"]) process.on(name, say);
    process.stdin.on("end", () => process.exit()).resume();
    say();
    let { pid } = broker;
    setInterval(() => { if (broker.pid !== pid) { pid = broker.pid; say(); } }, 5);`;
  const owner = spawn(process.execPath, [...LOADER, "--input-type=module", "--eval", script], {
    stdio: ["pipe", "pipe", "inherit"],
    detached: true,
    env: { ...process.env, FTLE_NATS_SERVER: await natsServerBinary() },
  });
  const said: Said[] = [];
  createInterface(owner.stdout).on("line", (line) => said.push(JSON.parse(line)));
  await until("the broker runs", () => said.length === 1);
  return { owner, broker: said[0]!, said };
}

async function assertGone({ pid, folder }: Pick<EmbeddedBroker, "pid" | "folder">): Promise<void> {
  assert.equal(existsSync(folder), false);
  assert.equal(await isGone(pid), true);
}

async function isGone(pid: number): Promise<boolean> {
  return (await processStart(pid).catch(() => null)) === null; // it may end while we look
}

async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/stat`, "utf8");
  return Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]); // proc_pid_stat(5), field 4
}

/** What a process listens on, `address:port`, from /proc. */
async function listening(pid: number): Promise<string[]> {
  const sockets = new Set<string>();
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) sockets.add(inode);
  }
  const found: string[] = [];
  for (const table of ["tcp", "tcp6"]) {
    const text = await readFile(`/proc/${pid}/net/${table}`, "utf8").catch(() => "");
    for (const row of text.split("\n").slice(1)) {
      const fields = row.trim().split(/\s+/);
      if (fields[3] !== "0A" || !sockets.has(fields[9] ?? "")) continue;
      const [address = "", port = ""] = fields[1]!.split(":");
      const bytes = address.match(/../g)!.reverse();
      found.push(
        `${bytes.map((byte) => Number.parseInt(byte, 16)).join(".")}:${Number.parseInt(port, 16)}`,
      );
    }
  }
  return found;
}
