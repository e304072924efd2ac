import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { CELLS, SWEEP_JSON, weightsFile } from "../../coordinator/store/layout.ts";
import { readRecords } from "../../coordinator/store/store.ts";
import { natsServerBinary } from "../../shared/testing/nats-server.ts";
import { LOADER } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import type { Ending } from "./support/ftle.ts";
import { ftle, ftleWith } from "./support/ftle.ts";
import { preload, WITHOUT_FOLDER_SYNC, withoutCompiler } from "./support/preload.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
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

/** Without what fields of a grid share. */
function withoutMetadata(found: Record<string, string>): Record<string, string> {
  const isOwn = ([path]: [string, string]) => !/\.zarr\/([xy]\/|\w+\/zarr\.json)/.test(path);
  return Object.fromEntries(Object.entries(found).filter(isOwn));
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

    test("disk: cells may lie on another file system, from the beginning or moved there later", async () => {
      await inFolder(async (folder) => {
        const spec = join(folder, "spec.yaml");
        await writeFile(spec, SPEC.replace("points: 96", "points: 32"));
        const untouched = join(folder, "untouched");
        await runHere(spec, untouched);
        await onSmallDisk("4m", async ({ path }) => {
          const begun = join(folder, "begun");
          const moved = join(folder, "moved");
          for (const [directory, cells] of [
            [begun, join(path, "a")],
            [moved, join(path, "b")],
          ] as const) {
            await mkdir(directory);
            await mkdir(cells);
            if (directory === moved)
              await cp(untouched, moved, { recursive: true, verbatimSymlinks: true });
            if (directory === moved)
              await cp(join(moved, CELLS), cells, { recursive: true, verbatimSymlinks: true });
            await rm(join(directory, CELLS), { recursive: true, force: true });
            await symlink(cells, join(directory, CELLS));
          }
          await mkdir(join(path, "b", ".ftle-tmp"));
          await writeFile(join(path, "b", ".ftle-tmp", "of a killed run"), "");
          for await (const { cell } of readRecords(moved)) {
            await rm(join(moved, weightsFile(cell, "end")));
          }
          await runHere(spec, begun);
          assert.equal((await resumeHere(moved)).tasksRun, 4);
          // Through the link, links to shared metadata would not hold: fields there have files of their own.
          const expected = withoutMetadata(await contents(join(untouched, CELLS)));
          for (const cells of ["a", "b"]) {
            assertSameContents(withoutMetadata(await contents(join(path, cells))), expected);
            assert.equal((await readdir(join(path, cells))).length, 4); // all of them cells
          }
        });
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

test("disk: folders that cannot be fsynced are no obstacle", {
  skip: withoutCompiler(),
}, async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    const out = join(folder, "out");
    await writeFile(spec, SPEC.replace("points: 96", "points: 32"));
    const env = await preload(folder, WITHOUT_FOLDER_SYNC);
    const { code, stderr } = await ftleWith(env, "run", spec, "--out", out);
    assert.equal(code, 0, stderr);
    assert.deepEqual((await examine(out)).damaged, []);
  });
});

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
