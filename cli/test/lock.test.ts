import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { fewOrAll } from "../../shared/testing/long.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import type { Ending, Running } from "./support/ftle.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
import { preload, WITHOUT_LINKS, withoutCompiler } from "./support/preload.ts";
import { filesIn } from "./support/stored.ts";
import { until } from "./support/until.ts";

/** Trains for minutes. */
const LONG = `
axes: {width: 200, depth: 4}
data: {name: circle, samples: 100}
training: {epochs: 2000, batch: 20}
field: none
engine: reference
`;

const ROUNDS = fewOrAll(3, 10);

const SHORT = `
axes: {width: 2, depth: 1}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: none
`;

interface Place {
  readonly folder: string;
  readonly directory: string;
  /** What starts a coordinator on the directory. */
  readonly command: readonly string[];
  /** Starts a coordinator on the directory. */
  start(): Running;
}

async function inPlace(spec: string, body: (place: Place) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const file = join(folder, "spec.yaml");
    const directory = join(folder, "out");
    await writeFile(file, spec);
    const run = ["run", file, "--out", directory, "--no-plot", "--threads", "1"];
    const main = fileURLToPath(moduleFile("cli/main"));
    const command = [process.execPath, ...LOADER, main, ...run];
    await body({ folder, directory, command, start: () => spawnFtle(...run) });
  });
}

async function holds({ directory }: Place, { pid }: Running): Promise<void> {
  await until(`process ${pid} has the lock`, async () => (await lockOwner(directory))?.pid === pid);
}

function assertRefused({ code, stderr }: Ending, owner: Running): void {
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`in use by process ${owner.pid} on ${hostname()}, since`));
  assert.doesNotMatch(stderr, / → |\n\s+at /); // nor was it announced
}

test("lock: a second coordinator is refused while the first runs, and takes over once it is killed", async () => {
  await inPlace(LONG, async (place) => {
    const first = place.start();
    await holds(place, first);
    assertRefused(await place.start().ended, first);
    const { stdout } = await ftle("status", place.directory, "--json");
    const { phase, owner } = JSON.parse(stdout);
    assert.deepEqual([phase, owner.pid, owner.host], ["running", first.pid, hostname()]);

    first.kill("SIGKILL");
    await first.ended;
    const second = place.start();
    await holds(place, second);
    second.kill("SIGKILL");
    await second.ended;
  });
});

test(`lock: of two coordinators that start at the same time exactly one runs, in each of ${ROUNDS} rounds`, async () => {
  await inPlace(LONG, async (place) => {
    for (let round = 0; round < ROUNDS; round++) {
      // From the second round on there is a killed owner's lock to take over.
      const pair = [place.start(), place.start()] as const;
      const [loser, winner] = await Promise.race([
        pair[0].ended.then(() => pair),
        pair[1].ended.then(() => [pair[1], pair[0]] as const),
      ]);
      assertRefused(await loser.ended, winner);
      await holds(place, winner);
      winner.kill("SIGKILL");
      assert.equal((await winner.ended).signal, "SIGKILL");
    }
  });
});

/** Runs a program where process ids start from 1 again, as in a container. */
const UNSHARE = ["--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL"];
const unshare = [UNSHARE, ["--user", "--map-root-user", ...UNSHARE]].find(
  (options) => spawnSync("unshare", [...options, "true"]).status === 0,
);
const unsharing = unshare === undefined && "may not make namespaces of processes here";

test("lock: two coordinators that do not see each other's processes are kept apart, and a dead one's lock is taken over at once", {
  skip: unsharing,
}, async () => {
  await inPlace(LONG, async ({ directory, command }) => {
    const started: ChildProcess[] = [];
    const start = () => {
      const child = spawn("unshare", [...unshare!, ...command], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      started.push(child);
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      return { child, said: () => said, code: once(child, "exit").then(([code]) => code) };
    };
    const isHeld = async () => (await lockOwner(directory)) !== null;
    const locks = () => readdirSync(directory).filter((name) => name.startsWith("lock."));
    try {
      const first = start();
      await until("the first has the lock", isHeld);
      const second = start();
      assert.equal(await second.code, 1);
      const { pid } = (await lockOwner(directory))!;
      assert.ok(
        second.said().includes(`in use by process ${pid} on ${hostname()}, since`),
        second.said(),
      );
      assert.deepEqual(locks(), ["lock.1"]);
      const cancelled = await ftle("cancel", directory);
      assert.equal(cancelled.code, 2);
      assert.match(cancelled.stderr, /in another container; cancel it there/);

      first.child.kill("SIGKILL");
      await until("the first is gone", async () => !(await isHeld()));
      start();
      await until("the third has the lock, and has removed the first's", () => {
        return locks().join() === "lock.2";
      });
      assert.ok(await isHeld());
    } finally {
      for (const child of started) child.kill("SIGKILL");
    }
  });
});

test("lock: also works on a file system without hard links", {
  skip: withoutCompiler(),
}, async () => {
  await inPlace(SHORT, async ({ folder, directory, command }) => {
    const env = { ...process.env, ...(await preload(folder, WITHOUT_LINKS)) };
    const [program, ...args] = command;
    const run = spawnSync(program!, args, { env, encoding: "utf8" });
    assert.equal(run.status, 0, run.stderr);
    assert.deepEqual(
      (await filesIn(directory)).filter((path) => path.includes("lock")),
      [],
    );
  });
});

test("lock: a run that has ended leaves no lock, and no leftovers of a killed one", async () => {
  await inPlace(SHORT, async ({ directory, start }) => {
    await mkdir(directory);
    await writeFile(join(directory, ".lock-of-a-process-killed-while-it-took-the-lock"), "");
    assert.equal((await start().ended).code, 0);
    assert.equal(await lockOwner(directory), null);
    assert.deepEqual(
      (await filesIn(directory)).filter((path) => path.includes("lock")),
      [],
    );
  });
});
