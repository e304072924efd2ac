import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { RemoteSet } from "../data/download.ts";
import { downloadSet } from "../data/download.ts";

const CONTENT = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 251));
const FILE = { name: "images.gz", md5: createHash("md5").update(CONTENT).digest("hex") };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Whole, or from where it is asked to begin. */
const answering: Answer = ({ headers }, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  if (from >= CONTENT.length) return response.writeHead(416).end();
  response.writeHead(from > 0 ? 206 : 200, { "content-length": CONTENT.length - from });
  return response.end(CONTENT.subarray(from));
};

async function withServer(
  answer: Answer,
  body: (use: { source: string; folder: string; path: string; asked: string[] }) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.range ?? ""}`.trim());
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const folder = await mkdtemp(join(tmpdir(), "ftle-download-"));
  const source = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sets/`;
  try {
    await body({ source, folder, path: join(folder, FILE.name), asked });
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  }
}

const { signal } = new AbortController();
const setFrom = (...sources: string[]): RemoteSet => ({ sources, files: [FILE] });

test("download: a file is there when it is whole, and is not fetched again", async () => {
  await withServer(answering, async ({ source, folder, path, asked }) => {
    const set = setFrom(source);
    assert.deepEqual(await downloadSet(set, { folder, signal }), [FILE.name]);
    assert.ok((await readFile(path)).equals(CONTENT));
    assert.ok(!existsSync(`${path}.part`));
    assert.deepEqual(await downloadSet(set, { folder, signal }), []);
    await writeFile(path, CONTENT.subarray(1)); // damaged: fetched again
    assert.deepEqual(await downloadSet(set, { folder, signal }), [FILE.name]);
    assert.ok((await readFile(path)).equals(CONTENT));
    assert.deepEqual(asked, ["/sets/images.gz", "/sets/images.gz"]);
  });
});

test("download: what broke off goes on where it was, from any source", async () => {
  let requests = 0;
  const breaking: Answer = (request, response) => {
    if (++requests > 1) return answering(request, response);
    response.writeHead(200, { "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, 100_000), () => response.destroy());
  };
  await withServer(breaking, async ({ source, folder, path, asked }) => {
    const notices: string[] = [];
    const options = { folder, signal, onNotice: (line: string) => notices.push(line) };
    await downloadSet(setFrom(source, source), options);
    assert.ok((await readFile(path)).equals(CONTENT));
    assert.equal(notices.length, 1);
    assert.match(asked[1]!, /^\/sets\/images\.gz bytes=\d+-$/);
  });
});

test("download: a source that begins again is followed, and one without the file is passed over", async () => {
  const wholeOnly: Answer = ({ url }, response) => {
    if (url!.startsWith("/none")) return response.writeHead(404).end();
    response.writeHead(200, { "content-length": CONTENT.length });
    return response.end(CONTENT);
  };
  await withServer(wholeOnly, async ({ source, folder, path }) => {
    await writeFile(`${path}.part`, "begun elsewhere");
    const nowhere = source.replace("/sets/", "/none");
    const notices: string[] = [];
    const onNotice = (line: string) => notices.push(line);
    await downloadSet(setFrom(nowhere, source), { folder, signal, onNotice });
    assert.match(notices[0]!, /HTTP status 404/);
    assert.ok((await readFile(path)).equals(CONTENT));
  });
});

test("download: other bytes are refused with both checksums, and nothing stays", async () => {
  const other: Answer = (_, response) => response.end("something else");
  await withServer(other, async ({ source, folder, path }) => {
    const expected = new RegExp(
      `expected bytes with MD5 ${FILE.md5}, found [0-9a-f]{32}.*--from URL`,
    );
    await assert.rejects(downloadSet(setFrom(source), { folder, signal }), expected);
    assert.ok(!existsSync(path) && !existsSync(`${path}.part`));
  });
});

test("download: one that is interrupted keeps what it has, for the next", async () => {
  const hanging: Answer = (_, response) => {
    response.writeHead(200, { "content-length": CONTENT.length });
    response.write(CONTENT.subarray(0, 50_000));
  };
  const interrupt = new AbortController();
  await withServer(hanging, async ({ source, folder, path }) => {
    const running = downloadSet(setFrom(source), {
      folder,
      signal: interrupt.signal,
      onProgress: (_, bytes) => bytes >= 50_000 && interrupt.abort(new Error("stop")),
    });
    await assert.rejects(running, /stop/);
    assert.equal((await readFile(`${path}.part`)).length, 50_000);
  });
});
