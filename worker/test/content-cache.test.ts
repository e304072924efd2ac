import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { digestOf } from "../../shared/identity.ts";
import { cacheFolder, contentCache } from "../content-cache.ts";

const content = (byte: number) => new Uint8Array(1000).fill(byte);

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-cache-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Counts how often a content was fetched. */
function source() {
  const fetched: number[] = [];
  const fetch = (byte: number) => async () => {
    fetched.push(byte);
    return content(byte);
  };
  return { fetched, fetch };
}

test("content cache: what was fetched once is read from the disk, by another process too", async () => {
  await inFolder(async (folder) => {
    const { fetched, fetch } = source();
    for (let start = 0; start < 2; start++) {
      const cache = contentCache({ folder: join(folder, "new"), mostBytes: 1e6 });
      for (let use = 0; use < 2; use++) {
        const bytes = await cache.get(digestOf(content(7)), fetch(7));
        assert.ok(Buffer.from(content(7)).equals(bytes));
      }
    }
    assert.deepEqual(fetched, [7]);
    assert.equal((await readdir(join(folder, "new"))).length, 1);
  });
});

test("content cache: a damaged file is fetched again, and restored", async () => {
  await inFolder(async (folder) => {
    const { fetched, fetch } = source();
    const cache = contentCache({ folder, mostBytes: 1e6 });
    await cache.get(digestOf(content(1)), fetch(1));
    const [name] = await readdir(folder);
    await writeFile(join(folder, name!), content(2));
    assert.equal((await cache.get(digestOf(content(1)), fetch(1)))[0], 1);
    assert.deepEqual(fetched, [1, 1]);
    assert.equal((await readFile(join(folder, name!)))[0], 1);
  });
});

test("content cache: beyond its limit, what was used longest ago goes first; what was used last stays", async () => {
  await inFolder(async (folder) => {
    const { fetched, fetch } = source();
    const cache = contentCache({ folder, mostBytes: 2500 });
    const use = async (byte: number) => {
      await cache.get(digestOf(content(byte)), fetch(byte));
    };
    const age = async (byte: number, seconds: number) => {
      const name = `${digestOf(content(byte)).replace(":", "-")}.safetensors`;
      await utimes(join(folder, name), new Date(), new Date(Date.now() - 1000 * seconds));
    };
    await use(1);
    await age(1, 60);
    await use(2);
    await age(2, 30);
    await use(1); // now used after 2
    await use(3);
    fetched.length = 0;
    await use(1);
    await use(3);
    assert.deepEqual(fetched, []);
    await use(2);
    assert.deepEqual(fetched, [2]);
    const tiny = contentCache({ folder, mostBytes: 10 });
    await tiny.get(digestOf(content(9)), fetch(9));
    assert.equal((await readdir(folder)).length, 1);
  });
});

test("content cache: where nothing can be kept, the worker goes on and says so", async () => {
  await inFolder(async (folder) => {
    await writeFile(join(folder, "file"), "");
    const notices: string[] = [];
    const onNotice = (line: string) => notices.push(line);
    const cache = contentCache({ folder: join(folder, "file", "below"), mostBytes: 1e6, onNotice });
    assert.equal((await cache.get(digestOf(content(4)), source().fetch(4)))[0], 4);
    assert.match(notices.join(), /^cannot keep a data set in .*below/);
  });
});

test("content cache: its folder is that of the user's caches", () => {
  assert.equal(cacheFolder({ XDG_CACHE_HOME: "/caches" }), "/caches/ftle");
  assert.match(cacheFolder({}), /\/\.cache\/ftle$/);
});
