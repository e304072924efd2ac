import assert from "node:assert/strict";
import { request } from "node:http";
import { connect } from "node:net";
import { hostname } from "node:os";
import { test } from "node:test";
import { Gauge, Registry } from "prom-client";
import type { MetricsServer, MetricsServerOptions } from "../metrics/server.ts";
import { parseMetricsAddress, startMetricsServer } from "../metrics/server.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };

async function withServer(
  options: Partial<MetricsServerOptions>,
  body: (server: MetricsServer, url: string) => Promise<void>,
): Promise<void> {
  const registry = new Registry();
  new Gauge({ name: "ftle_test", help: "One.", registers: [registry] }).set(1);
  const usual = { address: LOOPBACK, registry, notReady: () => null };
  const server = await startMetricsServer({ ...usual, ...options });
  try {
    await body(server, `http://127.0.0.1:${server.place.split(":").at(-1)}`);
  } finally {
    await server.stop();
  }
}

test("metrics server: /metrics is what the registry has, as Prometheus wants it", async () => {
  await withServer({}, async (_, url) => {
    const response = await fetch(`${url}/metrics?x=1`);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.match(await response.text(), /^ftle_test 1$/m);
  });
});

test("metrics server: health, readiness with its reason, and further paths as JSON", async () => {
  let why: string | null = "draining";
  const json = { "/workers": () => [{ targets: ["a:1"] }] };
  await withServer({ notReady: () => why, json }, async (_, url) => {
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    const unready = await fetch(`${url}/readyz`);
    assert.deepEqual([unready.status, await unready.text()], [503, "draining\n"]);
    why = null;
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const workers = await fetch(`${url}/workers`);
    assert.match(workers.headers.get("content-type")!, /^application\/json; charset=utf-8$/);
    assert.deepEqual(await workers.json(), [{ targets: ["a:1"] }]);
  });
});

test("metrics server: what is not there is 404 and says what is; what would change something is 405", async () => {
  await withServer({}, async (_, url) => {
    for (const path of ["/", "/metrics/", "/../etc/passwd", "/constructor", "/__proto__", "//x"]) {
      const response = await fetch(url + path);
      assert.equal(response.status, 404, path);
      assert.match(await response.text(), /expected one of \/metrics/);
    }
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await fetch(`${url}/metrics`, { method });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
    }
    const head = await fetch(`${url}/metrics`, { method: "HEAD" });
    assert.deepEqual([head.status, await head.text()], [200, ""]);
    assert.ok(Number(head.headers.get("content-length")) > 0);
  });
});

test("metrics server: nonsense, floods and slow clients are put off, and others are answered meanwhile", async () => {
  await withServer({}, async (server, url) => {
    const port = Number(server.place.split(":").at(-1));
    const said = (text: string) =>
      new Promise<string>((resolve) => {
        let heard = "";
        const socket = connect(port, "127.0.0.1", () => socket.write(text));
        socket.on("data", (bytes) => {
          heard += bytes;
        });
        socket.on("error", () => {}).on("close", () => resolve(heard));
      });
    assert.match(await said(`GET /${"x".repeat(100_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1.1 431 /);
    assert.match(await said("\u0000\u0001\u0002 nonsense\r\n\r\n"), /^HTTP\/1.1 400 /);
    assert.match(await said("BREW /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), /^HTTP\/1.1 400 /);
    const large = await said(
      `GET /metrics HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`,
    );
    assert.match(large, /^HTTP\/1.1 431 /);
    // Never finishes its request; the server ends it after a while.
    const slow = said("GET /metrics HTTP/1.1\r\nHost: x\r\n");
    const many = Array.from({ length: 200 }, () => fetch(`${url}/metrics`).catch(() => null));
    const answered = (await Promise.all(many)).filter((response) => response?.status === 200);
    assert.ok(answered.length > 0);
    for (const response of answered) await response!.text();
    assert.match(await slow, /^HTTP\/1.1 408 /);
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
  });
});

test("metrics server: scrapes at the same time share one rendering", async () => {
  let renderings = 0;
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const registry = new Registry();
  new Gauge({
    name: "ftle_test",
    help: "Waits.",
    registers: [registry],
    async collect() {
      renderings++;
      await gate;
    },
  });
  await withServer({ registry }, async ({ place }) => {
    const one = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    const socket = connect(Number(place.split(":").at(-1)), "127.0.0.1", () => {
      socket.write(one + one + one.replace("metrics", "healthz")); // taken up in this order, at once
    });
    let heard = "";
    await new Promise<void>((resolve) => {
      socket.on("data", (bytes) => {
        heard += bytes;
        if (heard.endsWith("ok\n")) resolve();
      });
      const look = () => (renderings > 0 ? open() : setImmediate(look));
      look();
    });
    socket.destroy();
    assert.equal(heard.match(/ftle_test/g)?.length, 2 * 3);
    assert.equal(renderings, 1);
  });
});

test("metrics server: who waits for a scrape is told of the first that begins later and is sent whole", async () => {
  await withServer({}, async (server, url) => {
    const never = new AbortController().signal;
    let isScraped = false;
    const scraped = server.scraped(never).then(() => {
      isScraped = true;
    });
    await (await fetch(`${url}/healthz`)).text();
    assert.deepEqual([server.scrapes(), isScraped], [0, false]);
    await (await fetch(`${url}/metrics`)).text();
    await scraped;
    assert.equal(server.scrapes(), 1);
    await server.scraped(AbortSignal.abort());
  });
});

test("metrics server: it is on loopback unless told otherwise, and others are told this machine's name", async () => {
  assert.deepEqual(parseMetricsAddress("9464"), { host: "127.0.0.1", port: 9464 });
  assert.deepEqual(parseMetricsAddress("0.0.0.0:9464"), { host: "0.0.0.0", port: 9464 });
  assert.deepEqual(parseMetricsAddress("[::1]:0"), { host: "::1", port: 0 });
  assert.deepEqual(parseMetricsAddress("node7.ib:1"), { host: "node7.ib", port: 1 });
  for (const text of ["", "x", ":1", "a:b", "1:2:3", "65536", "http://x:1", "-1", "x:"]) {
    assert.equal(parseMetricsAddress(text), null, text);
  }
  const address = { host: "0.0.0.0", port: 0 };
  await withServer({ address }, async ({ place }) => {
    assert.equal(place.replace(/:\d+$/, ""), hostname());
  });
});

test("metrics server: a port that is taken, or a host that is not here, is a user's mistake", async () => {
  await withServer({}, async ({ place }) => {
    const taken = { address: parseMetricsAddress(place)!, registry: new Registry() };
    await assert.rejects(startMetricsServer({ ...taken, notReady: () => null }), {
      name: "UsageError",
      message: /expected a free port for metrics, found 127\.0\.0\.1:\d+ in use/,
    });
    const elsewhere = { ...taken, address: { host: "192.0.2.1", port: 0 }, notReady: () => null };
    await assert.rejects(startMetricsServer(elsewhere), { name: "UsageError" });
  });
});

test("metrics server: a body that is sent along is not looked at and does no harm", async () => {
  await withServer({}, async (server) => {
    const port = Number(server.place.split(":").at(-1));
    const status = await new Promise((resolve, reject) => {
      const headers = { "Content-Length": 1_000_000 };
      const asked = request({ port, path: "/metrics", headers }, (response) => {
        response.resume().on("end", () => resolve(response.statusCode));
      });
      asked.on("error", reject);
      asked.end("x".repeat(1_000_000));
    });
    assert.equal(status, 200);
  });
});
