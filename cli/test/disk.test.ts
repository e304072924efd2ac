import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SWEEP_JSON } from "../../coordinator/store/layout.ts";
import { natsServerBinary } from "../../shared/testing/nats-server.ts";
import { inFolder } from "./support/folder.ts";
import type { Ending } from "./support/ftle.ts";
import { ftle, ftleWith, LOADER } from "./support/ftle.ts";
import { runHere } from "./support/run-here.ts";
import { canMount, onSmallDisk } from "./support/small-disk.ts";
import { assertSameContents, contents, examine, filesIn } from "./support/stored.ts";

/** About 2 MB: four networks with nine tiles of 32² points, three chunks each. */
const SPEC = `
axes: {width: [4, 6], depth: [2, 3]}
data: {name: circle, samples: 100}
training: {epochs: 1, batch: 20}
field: {points: 96, tile: 32}
`;

function assertStopped({ code, stderr }: Ending, path: string, cause: string, remedy: string) {
  assert.equal(code, 1, stderr);
  const error = stderr.trimEnd().split("\n").at(-1)!;
  assert.ok(error.startsWith(`ftle: cannot write ${path}`), error);
  assert.ok(error.includes(`(${cause}); ${remedy}`), error);
  assert.doesNotMatch(stderr, /\n\s+at /);
}

const mounting = canMount();

if (mounting === "directly") {
  describe("disk", { concurrency: 2 }, () => {
    test("disk: a sweep on a full disk stops with nothing half-written, and goes on when there is room", async (t) => {
      await inFolder(async (folder) => {
        const spec = join(folder, "spec.yaml");
        await writeFile(spec, SPEC);
        const untouched = join(folder, "untouched");
        const { tasksRun } = await runHere(spec, untouched);
        await onSmallDisk("4k", async ({ path, remount }) => {
          const directory = join(path, "out");
          const stored: number[] = [];
          // Full within the lock, within the sweep's own files, within a training, among the tiles.
          for (const size of ["4k", "12k", "40k", "512k"]) {
            remount(`size=${size}`);
            const ending = await ftle(
              "run",
              spec,
              "--out",
              directory,
              "--no-plot",
              "--threads",
              "1",
            );
            assertStopped(ending, directory, "ENOSPC", "free some space and resume");
            const files = await filesIn(directory);
            assert.deepEqual(
              files.filter((file) => file.startsWith("tmp/") || file.startsWith("lock.")),
              [],
            );
            if (!existsSync(join(directory, SWEEP_JSON))) continue;
            const { damaged, tasks } = await examine(directory);
            assert.deepEqual(damaged, []);
            stored.push(tasks.size);
          }
          assert.ok(stored.at(-1)! > 0 && stored.at(-1)! < tasksRun, `stored ${stored}`);
          remount("size=32m");
          const { code, stdout } = await ftle("resume", directory, "--no-plot", "--json");
          assert.equal(code, 0);
          assert.equal(JSON.parse(stdout).tasksRun, tasksRun - stored.at(-1)!);
          assertSameContents(await contents(directory), await contents(untouched));
          t.diagnostic(`stored when full: ${stored.join(", ")} of ${tasksRun} results`);
        });
      });
    });

    test("disk: a read-only directory can be read, and a run there stops at once", async () => {
      await onSmallDisk("1m", async ({ path, remount }) => {
        const spec = join(path, "spec.yaml");
        const directory = join(path, "out");
        await writeFile(spec, SPEC.replace("points: 96", "points: 32"));
        await runHere(spec, directory);
        remount("ro");
        const [resumed, status, verified] = await Promise.all([
          ftle("resume", directory, "--no-plot"),
          ftle("status", directory),
          ftle("verify", directory),
        ]);
        assertStopped(resumed, directory, "EROFS", "choose another --out");
        assert.deepEqual([status.code, verified.code], [0, 0]);
      });
    });

    test("disk: a cluster whose temporary folder is full ends with 2 and names TMPDIR", async () => {
      await onSmallDisk("8k", async ({ path }) => {
        await inFolder(async (folder) => {
          const spec = join(folder, "spec.yaml");
          await writeFile(spec, SPEC);
          await writeFile(join(path, "ballast"), Buffer.alloc(4096));
          const env = { FTLE_NATS_SERVER: await natsServerBinary(), TMPDIR: path };
          const run = ["run", spec, "--cluster", "--out", join(folder, "out"), "--threads", "1"];
          const { code, stderr } = await ftleWith(env, ...run);
          assert.equal(code, 2, stderr);
          assert.match(stderr, /expected TMPDIR to name .* which is full \(ENOSPC\)/);
          assert.doesNotMatch(stderr, /\n\s+at /);
        });
      });
    });
  });
} else if (mounting === "unshared") {
  test("disk: the tests of full disks pass in a namespace of their own", () => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const file = fileURLToPath(import.meta.url);
    const args = ["-rm", process.execPath, ...LOADER, file];
    const { status, stdout } = spawnSync("unshare", args, { env, encoding: "utf8" });
    assert.equal(status, 0, stdout);
  });
} else {
  test("disk: full disks", { skip: process.env.CI !== "true" && "may not mount here" }, () => {
    assert.fail("expected to be permitted to mount a tmpfs, directly or with unshare -rm");
  });
}

test("disk: an --out that is a file, or below one, is refused with what to do", async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    const [isFile, isBelow] = await Promise.all([
      ftle("run", spec, "--out", spec),
      ftle("run", spec, "--out", join(spec, "out")),
    ]);
    assertStopped(isFile, spec, "EEXIST", "choose another --out");
    assertStopped(isBelow, spec, "ENOTDIR", "choose another --out");
  });
});
