import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { natsServerBinary } from "../../shared/testing/nats-server.ts";
import { LOADER, moduleFile } from "../../shared/testing/repository.ts";
import { inFolder } from "./support/folder.ts";

const SPEC = `
axes: {width: [2, 3], depth: 1, seed: [0, 1]}
data: {name: circle, samples: 100}
training: {epochs: 1}
field: {points: 16}
`;

// Compiling sources needs more files than the program does.
const skip = LOADER.length > 0 && "it is about the build: npm test";

test("program: it runs, draws and exports with 64 file descriptors", { skip }, async () => {
  await inFolder(async (folder) => {
    const spec = join(folder, "spec.yaml");
    const [out, cluster] = [join(folder, "out"), join(folder, "cluster")];
    await writeFile(spec, SPEC);
    const env = { ...process.env, FTLE_NATS_SERVER: await natsServerBinary() };
    for (const words of [
      ["--help"],
      ["plan", spec],
      ["run", spec, "--out", out],
      ["run", spec, "--out", cluster, "--cluster", "--threads", "2"],
      ["status", out],
      ["plot", out, "--lines", "testAccuracy", "--against", "width"],
      ["export", out, "--format", "zarr"],
      ["export", out, "--format", "parquet"],
      ["verify", out],
    ]) {
      const limited = ["-c", 'ulimit -n 64; exec "$@"', "sh"];
      const main = fileURLToPath(moduleFile("cli/main"));
      const { status, stderr } = spawnSync("sh", [...limited, process.execPath, main, ...words], {
        cwd: folder,
        encoding: "utf8",
        env,
      });
      assert.equal(status, 0, `${words[0]}: ${stderr}`);
    }
  });
});
