#!/usr/bin/env node
/**
 * Builds the native engine with the system's C compiler, for the machine it runs on or for another one:
 *
 *   node worker/engines/native/build.mjs                 this machine
 *   CC='aarch64-linux-gnu-gcc' node … --arch arm64       another
 *   node … --sanitize                                    with address and undefined-behaviour sanitizers
 *
 * Without a compiler it says so and ends well: the program then computes with a slower engine.
 */
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const { values: flags } = parseArgs({
  options: {
    arch: { type: "string", default: process.arch },
    sanitize: { type: "boolean", default: false },
  },
});

/** Flags of each instruction set, by architecture; the C code chooses among them when it is loaded. */
const instructionSets = {
  x64: {
    avx512: ["-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl", "-mavx2", "-mfma"],
    avx2: ["-mavx2", "-mfma"],
    baseline: [],
  },
  arm64: { neon: [], baseline: [] },
};
const kernels = ["field.c", "exponents.c", "train.c", "peak.c", "table.c"];
const common = ["addon.c", "choose.c", "network.c"];

const compiler = (process.env.CC ?? "cc").split(" ");
const flagsOfAll = [
  "-std=gnu11",
  flags.sanitize ? "-O0" : "-O3",
  "-fPIC",
  "-fvisibility=hidden",
  // Results must be the same bytes everywhere: multiply-adds stand where the source has them.
  "-ffp-contract=off",
  "-fno-math-errno",
  // Integer vectors hold the bits of floats: they wrap.
  "-fwrapv",
  "-Wall",
  "-Wextra",
  "-Werror=implicit-function-declaration",
  ...(flags.sanitize ? ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"] : []),
];

const sets = instructionSets[flags.arch];
const target = join(
  root,
  "prebuilds",
  `${process.platform}-${flags.arch}${flags.sanitize ? "-sanitized" : ""}`,
);
const addon = join(target, "native.node");
const stamp = join(target, "native.json");

await main();

async function main() {
  if (sets === undefined || process.platform === "win32") {
    return tell(`no kernels for ${process.platform} on ${flags.arch}`);
  }
  const version = spawnSync(compiler[0], [...compiler.slice(1), "--version"], { encoding: "utf8" });
  if (version.status !== 0) {
    return tell(
      `no C compiler (${compiler.join(" ")}): install one, e.g. \`apt install gcc libc6-dev\`, and run \`npm run build:native\``,
    );
  }
  const description = JSON.stringify({
    sources: sourceDigest(),
    compiler: version.stdout.split("\n")[0],
    flags: flagsOfAll,
    sets,
  });
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === description) return;
  const objects = mkdtempSync(join(tmpdir(), "ftle-native-"));
  try {
    await compileAll(objects);
    mkdirSync(target, { recursive: true });
    const linked = join(objects, "native.node");
    const files = readdirSync(objects).filter((name) => name.endsWith(".o"));
    const strip = flags.sanitize ? [] : ["-s"];
    await run([
      "-shared",
      ...strip,
      ...flagsOfAll,
      "-o",
      linked,
      ...files.map((name) => join(objects, name)),
      "-lm",
    ]);
    writeFileSync(`${addon}.new`, readFileSync(linked), { mode: 0o755 });
    renameSync(`${addon}.new`, addon); // a process that has the old one loaded keeps it
    writeFileSync(stamp, description);
  } catch (error) {
    tell(
      `the compiler failed:\n${String(error.stderr ?? error)
        .trim()
        .split("\n")
        .slice(0, 12)
        .join("\n")}`,
    );
    if (flags.sanitize || flags.arch !== process.arch) process.exitCode = 1; // asked for by name
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

async function compileAll(objects) {
  const headers = createRequire(import.meta.url)("node-api-headers").include_dir;
  const jobs = [
    ...common.map((file) => ({ file, name: file, extra: ["-I", headers] })),
    ...Object.entries(sets).flatMap(([isa, extra]) =>
      kernels.map((file) => ({
        file,
        name: `${isa}-${file}`,
        extra: [...extra, `-DISA=${isa}`, `-DISA_${isa}`],
      })),
    ),
  ];
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        const { file, name, extra } = job;
        await run([
          ...flagsOfAll,
          ...extra,
          "-c",
          join(here, file),
          "-o",
          join(objects, `${name}.o`),
        ]);
      }
    }),
  );
}

async function run(args) {
  await promisify(execFile)(compiler[0], [...compiler.slice(1), ...args]);
}

function sourceDigest() {
  const hash = createHash("sha256");
  for (const name of readdirSync(here)
    .filter((name) => /\.(c|h|mjs)$/.test(name))
    .sort()) {
    hash.update(name).update(readFileSync(join(here, name)));
  }
  return hash.digest("hex");
}

function tell(reason) {
  console.error(`ftle: the native engine was not built, slower ones will be used: ${reason}`);
}
