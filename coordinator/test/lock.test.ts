import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { mock, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { LockOptions, LockOwner } from "../store/lock.ts";
import { acquireLock, isInReach, lockOwner } from "../store/lock.ts";

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ftle-lock-"));
  try {
    await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As version 0.1.0 wrote it. */
const OLD = { pid: 77, host: "node17", started: "1", since: "2026-11-27T15:00:00.000Z" };
/** An owner on a machine that only shares the file system. */
const AWAY: LockOwner = { ...OLD, boot: "another", pids: "pid:[1]", device: 1, door: null };

const LOCK = "lock.3";
const WATCH = ".lock-watch-3";

/** Makes a file older: its last change was so long ago. */
async function age(path: string, seconds: number): Promise<void> {
  const then = Date.now() / 1000 - seconds;
  await utimes(path, then, then);
}

async function plant(folder: string, owner: unknown, seconds = 0): Promise<void> {
  await writeFile(join(folder, LOCK), typeof owner === "string" ? owner : JSON.stringify(owner));
  await age(join(folder, LOCK), seconds);
}

async function isRefused(folder: string, options: LockOptions = {}): Promise<string> {
  const refusal = await acquireLock(folder, options).then(
    async (lock) => {
      await lock.release();
      assert.fail("expected the lock to be refused");
    },
    (error) => error,
  );
  assert.equal(refusal.name, "LockedError", refusal);
  return refusal.message;
}

async function isTaken(folder: string, options: LockOptions = {}): Promise<void> {
  const lock = await acquireLock(folder, options);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith("lock.")),
    ["lock.4"],
  );
  await lock.release();
  assert.deepEqual(await readdir(folder), []);
}

/** A clock whose waits end at once; `meanwhile` does what happens during them. */
function clockWith(meanwhile: (look: number) => Promise<void>) {
  let looks = 0;
  return {
    looks: () => looks,
    after(_: number, action: () => void) {
      void meanwhile(++looks).then(action);
      return () => {};
    },
  };
}

for (const [what, seconds] of [
  ["70 s slow", 70],
  ["2 h fast", -7200],
  ["right", 0],
] as const) {
  test(`lock: one of version 0.1.0, of a clock that is ${what}, is respected until it was silent for a minute`, async () => {
    await inFolder(async (folder) => {
      await plant(folder, OLD, seconds);
      const message = await isRefused(folder);
      assert.match(message, /in use by process 77 on node17, since 2026.*again in a minute/);
      await age(join(folder, WATCH), 59);
      await isRefused(folder);
      await age(join(folder, WATCH), 61);
      await isTaken(folder);
    });
  });

  test(`lock: one of version 0.1.0, of a clock that is ${what}, is respected as long as it is touched`, async () => {
    await inFolder(async (folder) => {
      for (let beat = 0; beat < 5; beat++) {
        await plant(folder, OLD, seconds - 10 * beat);
        await isRefused(folder);
        await age(join(folder, WATCH), 3600);
      }
    });
  });
}

test("lock: one of another machine is respected, without a wait, while it gives signs of life", async () => {
  await inFolder(async (folder) => {
    await plant(folder, AWAY, 20);
    assert.match(await isRefused(folder), /process 77 on node17, since .*again in a minute/);
  });
});

test("lock: one of another machine that is silent is waited for, and taken over after a minute", async () => {
  await inFolder(async (folder) => {
    await plant(folder, AWAY, 300);
    const said: string[] = [];
    const clock = clockWith((look) => age(join(folder, WATCH), look));
    await isTaken(folder, { clock, onWait: (holder) => said.push(holder) });
    // The file system's clock has steps of a few milliseconds: at the 60th check it may not be a minute yet.
    assert.ok([60, 61].includes(clock.looks()), `${clock.looks()} looks`);
    assert.deepEqual(said.length, 1);
    assert.match(said[0]!, /^process 77 on node17/);
  });
});

test("lock: one of another machine that seemed silent is respected at its next sign of life, whatever its clock", async () => {
  await inFolder(async (folder) => {
    for (const seconds of [300, -300]) {
      await plant(folder, AWAY, seconds);
      const clock = clockWith(async (look) => {
        if (look === 8) await plant(folder, AWAY, seconds - 10);
      });
      const message = await isRefused(folder, { clock });
      assert.equal(clock.looks(), 8);
      assert.match(message, /process 77 on node17, since/);
      await rm(join(folder, WATCH));
    }
  });
});

test("lock: the wait for a silent holder can be interrupted", async () => {
  await inFolder(async (folder) => {
    await plant(folder, AWAY, 300);
    const controller = new AbortController();
    const interrupted = new Error("interrupted");
    const clock = clockWith(async () => controller.abort(interrupted));
    const { signal } = controller;
    await assert.rejects(acquireLock(folder, { clock, signal }), interrupted);
    const never = { after: () => () => {} };
    const again = new AbortController();
    const waiting = acquireLock(folder, {
      clock: never,
      signal: again.signal,
      onWait: () => setImmediate(() => again.abort(interrupted)),
    });
    await assert.rejects(waiting, interrupted);
  });
});

test("lock: equal host names and process ids do not make two machines one", async () => {
  await inFolder(async (folder) => {
    const here = { pid: process.pid, host: hostname() };
    await plant(folder, { ...AWAY, ...here }, 0);
    await isRefused(folder);
    const dead = { pid: 2 ** 22 + 1, host: hostname() };
    await plant(folder, { ...AWAY, ...dead }, 0);
    await isRefused(folder);
    assert.equal(await isInReach(folder, { ...AWAY, ...here }), false);
    const owner = (await lockOwner(folder))!;
    assert.deepEqual([owner.pid, owner.host], [dead.pid, dead.host]);
  });
});

test("lock: from another container of the same machine, a live holder is seen and a dead one taken over at once", async (t) => {
  await inFolder(async (folder) => {
    const elsewhere = { pids: "pid:[1]" };
    const lock = await acquireLock(folder, { hasDoor: true, me: elsewhere });
    const owner = (await lockOwner(folder))!;
    if (owner.door === null) {
      await lock.release();
      t.skip("no sockets here");
      return;
    }
    await age(join(folder, "lock.1"), 3600); // frozen
    assert.doesNotMatch(await isRefused(folder, { hasDoor: true }), /again in a minute/);
    await lock.release();

    // The door of a process that was killed: no process listens there.
    const name = ".lock-00000000-0000-0000-0000-000000000000";
    const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script, join(folder, name)]);
    assert.ok((await stat(join(folder, name))).isSocket());
    await plant(folder, { ...owner, door: name }, 0);
    assert.equal(await lockOwner(folder), null);
    await isTaken(folder, { hasDoor: true });
  });
});

test("lock: a door is trusted only on the same machine and file system", async () => {
  await inFolder(async (folder) => {
    const { dev: device } = await stat(folder);
    const name = ".lock-00000000-0000-0000-0000-000000000000";
    const script = `require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script, join(folder, name)]);
    const lock = await acquireLock(folder);
    const { boot } = (await lockOwner(folder))!;
    await lock.release();
    for (const owner of [
      { ...AWAY, device, door: name },
      { ...AWAY, boot, device: device + 1, door: name },
      { ...AWAY, boot, device, door: "../outside" },
      { ...AWAY, boot, device, door: ".lock-11111111-1111-1111-1111-111111111111" },
      { ...AWAY, boot, device, door: null },
    ]) {
      await plant(folder, owner, 0);
      await isRefused(folder);
    }
  });
});

test("lock: its holder gives signs of life by writing, without its own clock, and notices its loss", async () => {
  await inFolder(async (folder) => {
    const path = join(folder, "lock.1");
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      const lock = await acquireLock(folder);
      const text = await readFile(path, "utf8");
      for (const written of [" ", "\n", " "]) {
        await age(path, 100);
        mock.timers.tick(10_000);
        await until(async () => (await readFile(path, "utf8")) === text + written);
        assert.ok(Date.now() - (await stat(path)).mtimeMs < 50_000);
        assert.equal(JSON.parse(await readFile(path, "utf8")).pid, process.pid);
      }
      await rm(path);
      mock.timers.tick(10_000);
      await until(async () => lock.lost.aborted);
      assert.match(String(lock.lost.reason), /in use by another coordinator/);
      await lock.release();
      assert.deepEqual(await readdir(folder), []);
    } finally {
      mock.timers.reset();
    }
  });
});

for (const code of ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]) {
  test(`lock: without hard links (${code}), still one holder at a time`, async () => {
    await inFolder(async (folder) => {
      const makeLink = async () => {
        throw Object.assign(new Error(code), { code });
      };
      for (let round = 0; round < 5; round++) {
        const tries = Array.from({ length: 8 }, () => acquireLock(folder, { makeLink }));
        const settled = await Promise.allSettled(tries);
        const won = settled.filter((attempt) => attempt.status === "fulfilled");
        for (const attempt of settled) {
          if (attempt.status === "rejected") assert.equal(attempt.reason.name, "LockedError");
        }
        assert.equal(won.length, 1);
        await won[0]!.value.release();
        await rm(join(folder, ".lock-watch-1"), { force: true });
        assert.deepEqual(await readdir(folder), []);
      }
    });
  });
}

test("lock: an empty or damaged one may be about to be written, and is taken over after a minute", async () => {
  await inFolder(async (folder) => {
    for (const text of ["", "{", "null", "x".repeat(10_000)]) {
      await plant(folder, text, 3600);
      assert.match(await isRefused(folder), /a coordinator that lock\.3 does not name/);
      assert.equal(await lockOwner(folder), null);
      await age(join(folder, WATCH), 61);
      await isTaken(folder);
    }
  });
});

test("lock: something that only has a lock's name is not a lock, and is left alone", async () => {
  await inFolder(async (folder) => {
    await mkdir(join(folder, "lock.1"));
    await symlink("/dev/zero", join(folder, "lock.2"));
    assert.equal(spawnSync("mkfifo", [join(folder, LOCK)]).status, 0);
    await writeFile(join(folder, "lock.99999999999999999999"), JSON.stringify(OLD));
    assert.equal(await lockOwner(folder), null);
    const before = await readdir(folder);
    const lock = await acquireLock(folder);
    assert.deepEqual((await readdir(folder)).sort(), [...before, "lock.4"].sort());
    await lock.release();
    assert.deepEqual(await readdir(folder), before);
  });
});

test("lock: a directory that is gone is an error at once", async () => {
  await inFolder(async (folder) => {
    await assert.rejects(acquireLock(join(folder, "none")), { name: "StoreError" });
  });
});

async function until(look: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await look())) {
    assert.ok(performance.now() < deadline, "not within a minute");
    await pause(5);
  }
}
