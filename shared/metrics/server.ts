/** Serves metrics and health over HTTP. No request changes anything or causes a request to the broker. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import type { Registry } from "prom-client";
import { UsageError } from "../errors.ts";

export interface MetricsAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface MetricsServerOptions {
  readonly address: MetricsAddress;
  readonly registry: Registry;
  /** Why the process is not ready; null when it is. */
  notReady(): string | null;
  /** Further paths, each with a function that gives its answer, sent as JSON. */
  readonly json?: Readonly<Record<string, () => unknown>>;
}

export interface MetricsServer {
  /** `host:port` at which other machines can reach it. */
  readonly place: string;
  /** Number of answers to `/metrics` that were sent completely. */
  scrapes(): number;
  /** Resolves after the answer to the next request for `/metrics`, or when `signal` aborts. */
  scraped(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/** Limits for clients: a slow or greedy one must not cost a sweep anything. */
const REQUEST_MS = 5_000;
const MOST_CONNECTIONS = 64;

/** @throws UsageError if the address cannot be used. */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { address, registry } = options;
  let rendering: Promise<string> | null = null;
  let scrapes = 0;
  let waiting: (() => void)[] = [];

  /** Concurrent callers share one rendering. */
  function render(): Promise<string> {
    rendering ??= registry.metrics().finally(() => {
      rendering = null;
    });
    return rendering;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      send(response, { status: 405, body: "expected GET or HEAD\n" });
      return;
    }
    const path = request.url!.split("?", 1)[0]!;
    if (path === "/metrics") {
      const waited = waiting; // those that waited before this request came
      waiting = [];
      const body = await render();
      response.on("finish", () => {
        scrapes++;
        for (const resolve of waited) resolve();
      });
      response.on("close", () => {
        if (!response.writableFinished) waiting.push(...waited);
      });
      send(response, { status: 200, body, type: registry.contentType });
    } else if (path === "/healthz") {
      send(response, { status: 200, body: "ok\n" });
    } else if (path === "/readyz") {
      const why = options.notReady();
      send(response, { status: why === null ? 200 : 503, body: `${why ?? "ready"}\n` });
    } else if (options.json?.[path] !== undefined) {
      const body = JSON.stringify(options.json[path]());
      send(response, { status: 200, body, type: "application/json" });
    } else {
      const paths = ["/metrics", "/healthz", "/readyz", ...Object.keys(options.json ?? {})];
      send(response, { status: 404, body: `expected one of ${paths.join(", ")}\n` });
    }
  }

  const server = createServer(
    {
      maxHeaderSize: 8_192,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: 2 * 60_000, // longer than the pause between two scrapes, which could otherwise hit a closing connection
    },
    (request, response) => {
      request.resume(); // ignores the body
      response.setTimeout(REQUEST_MS, () => response.destroy());
      answer(request, response).catch((error) => {
        if (!response.headersSent) send(response, { status: 500, body: `${error}\n` });
      });
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenFault(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  return {
    place: `${shown(reachable(address.host))}:${port}`,
    scrapes: () => scrapes,
    scraped: (signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(), { once: true });
        if (signal.aborted) resolve();
        else waiting.push(resolve);
      }),
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** `9464`, `0.0.0.0:9464`, `node7:9464`, `[::1]:9464`; null for anything else. */
export function parseMetricsAddress(text: string): MetricsAddress | null {
  const match = /^(?:(\[[\da-fA-F:.]+\]|[\w.-]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2] ?? Number.NaN);
  if (!(port <= 65_535)) return null;
  return { host: match?.[1]?.replace(/[[\]]/g, "") ?? "127.0.0.1", port };
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Media type; plain text unless given. */
  readonly type?: string;
}

function send(response: ServerResponse, { status, body, type = "text/plain" }: Answer): void {
  const content = type.includes("charset") ? type : `${type}; charset=utf-8`;
  response.writeHead(status, {
    "Content-Type": content,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body); // for HEAD, node sends only the headers
}

/** The machine's name if the server listens on all interfaces. */
function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}

function shown(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function listenFault(error: NodeJS.ErrnoException, { host, port }: MetricsAddress): Error {
  const at = `${shown(host)}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new UsageError(
      `expected a free port for metrics, found ${at} in use: give another with --metrics, or 0 for any`,
    );
  }
  return new UsageError(`cannot serve metrics at ${at}: ${error.message}`);
}
