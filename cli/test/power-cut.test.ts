import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SWEEP_JSON, SWEEP_YAML } from "../../coordinator/store/layout.ts";
import { randomStream } from "../../shared/numerics/random-stream.ts";
import { fewOrAll } from "../../shared/testing/long.ts";
import { LOADER, moduleFile, repositoryFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";
import type { Operation } from "./support/power-cut.ts";
import {
  FAITHFUL,
  FORGETFUL,
  fickleDisk,
  linesOf,
  readOperations,
  replay,
  writeKept,
} from "./support/power-cut.ts";
import { preload, withoutCompiler } from "./support/preload.ts";
import { resumeHere, runHere } from "./support/run-here.ts";
import { assertSameContents, contents, examine } from "./support/stored.ts";

const NETWORKS = fewOrAll(6, 24);
/** Networks with four tiles of 16² points each. */
const SPEC = `
axes: {width: [2, 3, 4], depth: 1, seed: {count: ${NETWORKS / 3}}}
data: {name: circle, samples: 100}
training: {epochs: 1, batch: 20}
field: {points: 32, tile: 16}
`;
const TASKS = NETWORKS * (1 + 4);
/** Times that a sweep is recorded, and cuts of each. */
const RECORDS = fewOrAll(1, 5);
const CUTS = fewOrAll(2, 10);

/** Below the folder that is recorded. */
const OUT = "out";
const ACKNOWLEDGED = "acknowledged";

interface Recorded {
  /** The folder below which operations were recorded. */
  readonly root: string;
  readonly operations: readonly Operation[];
}

/** Runs a sweep that is killed after so many operations, and resumed. */
async function recordSweep(folder: string, spec: string, until: number): Promise<Recorded> {
  const root = join(folder, "recorded");
  const record = join(folder, "operations");
  for (const path of [root, record]) await rm(path, { recursive: true, force: true });
  await mkdir(root);
  const code = await readFile(repositoryFile("cli/test/support/record-writes.c"), "utf8");
  const env = {
    ...process.env,
    ...(await preload(folder, code)),
    ...{ RECORDED: root, RECORD: record, RECORD_SYNC_US: "500", UV_USE_IO_URING: "0" },
  };
  const child = fileURLToPath(moduleFile("cli/test/support/acknowledging"));
  const args = [...LOADER, child, spec, join(root, OUT), join(root, ACKNOWLEDGED)];
  const options = { encoding: "utf8" } as const;
  const killing = { ...env, RECORD_UNTIL: String(until) };
  const killed = spawnSync(process.execPath, args, { ...options, env: killing });
  assert.equal(killed.signal, "SIGKILL", killed.stderr);
  const resumed = spawnSync(process.execPath, args, { ...options, env });
  assert.equal(resumed.status, 0, resumed.stderr);
  return { root, operations: readOperations(record) };
}

/** Whether a file is of a training, or in a field, of which there is a task. */
function isOfAny(tasks: Iterable<string>, path: string): boolean {
  const [, cell, field] = /^cells\/(\w+)\/(?:field-(\w+-\w+)\.zarr\/)?/.exec(path) ?? [];
  const start = field === undefined ? `train-${cell}` : `field-${cell}-${field}-`;
  return [...tasks].some((task) => task.startsWith(start));
}

/** Brings what is left after a cut to its end. @returns what looked damaged, and how many results were left. */
async function goOn(spec: string, directory: string, acknowledged: ReadonlySet<string>) {
  const isStarted =
    existsSync(join(directory, SWEEP_JSON)) || existsSync(join(directory, SWEEP_YAML));
  const nothing = { damaged: [] as string[], tasks: new Set<string>() };
  const { damaged, tasks } = isStarted ? await examine(directory) : nothing;
  const lost = [...acknowledged].filter((task) => !tasks.has(task));
  assert.deepEqual(lost, [], "acknowledged, and lost");
  const broken = damaged.filter((path) => isOfAny(acknowledged, path));
  assert.deepEqual(broken, [], "acknowledged, and damaged");
  const { tasksRun } = await (isStarted ? resumeHere(directory) : runHere(spec, directory));
  assert.equal(tasksRun, TASKS - tasks.size);
  return { damaged, left: tasks.size };
}

/** Operations that acknowledge a result. */
function acknowledging(operations: readonly Operation[]): number[] {
  const isOne = ({ name, bytes }: Operation) => name === "write" && ACK.test(bytes.toString());
  return operations.flatMap((operation, i) => (isOne(operation) ? [i] : []));
}

const ACK = /^(train|field)-[-\w]+\n$/;

test(`power cut: after each of ${RECORDS * CUTS} cuts all acknowledged results are there, and the others are computed`, {
  skip: withoutCompiler(),
}, async (t) => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    await writeFile(spec, SPEC);
    const untouched = join(folder, "untouched");
    assert.equal((await runHere(spec, untouched)).tasksRun, TASKS);
    const expected = await contents(untouched);

    const random = randomStream([20, 13], "data", 0);
    for (let record = 0; record < RECORDS; record++) {
      const { root, operations } = await recordSweep(
        folder,
        spec,
        100 + random.below(NETWORKS * 100),
      );
      // The record is complete: it gives the files that are there.
      const again = join(folder, "again");
      writeKept(replay(root, operations), again, FAITHFUL);
      assertSameContents(await contents(join(again, OUT)), await contents(join(root, OUT)));
      const acks = acknowledging(operations);
      // What the killed run stored and did not acknowledge is found, and never acknowledged.
      assert.ok(acks.length > TASKS / 8, `${acks.length} acknowledged`);

      const cuts: string[] = [];
      for (let cut = 0; cut < CUTS; cut++) {
        // Half of them come just when a result has been acknowledged.
        const isAck = cut % 4 === 0 || cut % 4 === 3;
        const last = isAck ? acks[random.below(acks.length)]! : random.below(operations.length);
        const files = replay(root, operations.slice(0, last + 1));
        const acknowledged = new Set(linesOf(files, ACKNOWLEDGED));
        // Of what is not safe, a disk keeps nothing, or anything.
        const disk = cut % 2 === 0 ? FORGETFUL : fickleDisk((n) => random.below(n));
        const directory = join(folder, `cut-${record}-${cut}`, OUT);
        writeKept(files, dirname(directory), disk);
        const { damaged, left } = await goOn(spec, directory, acknowledged);
        if (disk === FORGETFUL) assert.deepEqual(damaged, [], `${directory}, operation ${last}`);
        assertSameContents(await contents(directory), expected);
        cuts.push(`${acknowledged.size}/${left}${damaged.length > 0 ? ` !${damaged.length}` : ""}`);
      }
      t.diagnostic(`${operations.length} operations; acknowledged/left: ${cuts.join(", ")}`);
      await rm(again, { recursive: true });
    }
  });
});
