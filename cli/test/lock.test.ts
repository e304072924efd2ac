import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockOwner } from "../../coordinator/store/lock.ts";
import { fewOrAll } from "../../shared/testing/long.ts";
import { inFolder } from "./support/folder.ts";
import type { Ending, Running } from "./support/ftle.ts";
import { ftle, spawnFtle } from "./support/ftle.ts";
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
  readonly directory: string;
  /** Starts a coordinator on the directory. */
  start(): Running;
}

async function inPlace(spec: string, body: (place: Place) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const file = join(folder, "spec.yaml");
    const directory = join(folder, "out");
    await writeFile(file, spec);
    await body({
      directory,
      start: () => spawnFtle("run", file, "--out", directory, "--no-plot", "--threads", "1"),
    });
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

test("lock: a run that has ended leaves no lock, nor what a killed one left of its own", async () => {
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
