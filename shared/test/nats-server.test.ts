import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { connect } from "@nats-io/transport-node";
import { processStart } from "../process/process-start.ts";
import type { TestServer, TestServerOptions } from "../testing/nats-server.ts";
import { startNatsServer } from "../testing/nats-server.ts";
import { LOADER, moduleFile } from "../testing/repository.ts";

test("test server: after kill -9 and a restart it has the same ports and its messages", async () => {
  await withServer({}, async (server) => {
    await withClient(server, putMessage);
    const { port, monitorUrl, pid } = server;
    await server.kill();
    assert.equal(await processStart(pid), null);
    await assert.rejects(connect({ servers: server.url, reconnect: false }));
    await server.restart();
    assert.notEqual(server.pid, pid);
    assert.deepEqual([server.port, server.monitorUrl], [port, monitorUrl]);
    assert.equal((await fetch(`${monitorUrl}/healthz`)).status, 200);
    assert.equal(await withClient(server, messages), 1);
  });
});

test("test server: a restart of a running one is a kill -9 and a start", async () => {
  await withServer({}, async (server) => {
    await withClient(server, putMessage);
    const { pid } = server;
    await server.restart();
    assert.equal(await processStart(pid), null);
    assert.equal(await withClient(server, messages), 1);
  });
});

test("test server: wiped, it comes back without its streams", async () => {
  await withServer({}, async (server) => {
    await withClient(server, putMessage);
    await assert.rejects(server.wipe(), /expected a server that is down/);
    await server.kill("SIGTERM");
    await server.wipe();
    await server.restart();
    await assert.rejects(withClient(server, messages), /stream not found/);
  });
});

test("test server: paused, it answers nothing until it is continued", async () => {
  await withServer({}, (server) =>
    withClient(server, async (nc) => {
      await server.pause();
      let answered = false;
      const answer = nc.flush().then(() => {
        answered = true;
      });
      await assert.rejects(
        fetch(`${server.monitorUrl}/healthz`, { signal: AbortSignal.timeout(300) }),
      );
      assert.equal(answered, false);
      server.continue();
      await answer;
    }),
  );
});

test("test server: takes more configuration and limits of JetStream", async () => {
  const config = 'authorization { user: a, password: "b" }';
  await withServer({ config, jetstream: "max_file_store: 1MB" }, async (server) => {
    await assert.rejects(connect({ servers: server.url }), /authorization/i);
    const nc = await connect({ servers: server.url, user: "a", pass: "b" });
    try {
      const { limits } = await (await jetstreamManager(nc)).getAccountInfo();
      assert.equal(limits.max_storage, -1);
      await assert.rejects(
        (await jetstreamManager(nc)).streams.add({ name: "S", max_bytes: 2 << 20 }),
        /insufficient storage/,
      );
    } finally {
      await nc.close();
    }
  });
});

test("test server: one that does not start says what was in its log", async () => {
  await assert.rejects(startNatsServer({ config: "nonsense: 1" }), /unknown field "nonsense"/);
});

test("test server: goes with its folder when the process that started it is killed", async () => {
  const module = moduleFile("shared/testing/nats-server").href;
  const script = `
    import { startNatsServer } from ${JSON.stringify(module)};
    const { pid, storeDir } = await startNatsServer();
    console.log(JSON.stringify({ pid, storeDir }));
    process.stdin.on("end", () => process.exit()).resume();`;
  const owner = spawn(process.execPath, [...LOADER, "--input-type=module", "--eval", script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(owner.stdout, "data");
  const { pid, storeDir } = JSON.parse(String(line)) as { pid: number; storeDir: string };
  assert.notEqual(await processStart(pid), null);
  owner.kill("SIGKILL");
  await until("the folder is gone", () => !existsSync(dirname(storeDir)));
  assert.equal(await processStart(pid), null); // went first
});

async function withServer(
  options: TestServerOptions,
  body: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startNatsServer(options);
  try {
    await body(server);
  } finally {
    await server.stop();
  }
  assert.equal(await processStart(server.pid), null);
  assert.equal(existsSync(dirname(server.storeDir)), false);
}

async function withClient<T>(
  { url }: TestServer,
  body: (nc: NatsConnection) => Promise<T>,
): Promise<T> {
  const nc = await connect({ servers: url });
  try {
    return await body(nc);
  } finally {
    await nc.close();
  }
}

async function putMessage(nc: NatsConnection): Promise<void> {
  await (await jetstreamManager(nc)).streams.add({ name: "S", subjects: ["s"] });
  await jetstream(nc).publish("s", "hello");
}

async function messages(nc: NatsConnection): Promise<number> {
  return (await (await jetstreamManager(nc)).streams.info("S")).state.messages;
}

async function until(condition: string, look: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!look()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${condition}`);
    await pause(5);
  }
}
