import { basename, dirname, join } from "node:path";
import type { Command } from "commander";
import { describeData } from "../../coordinator/data/describe.ts";
import type { RemoteSet } from "../../coordinator/data/download.ts";
import { downloadSet, REMOTE_SETS } from "../../coordinator/data/download.ts";
import { dataFolder } from "../../coordinator/data/find-data.ts";
import type { ReadContent } from "../../coordinator/data/read-content.ts";
import { readContent } from "../../coordinator/data/read-content.ts";
import { readSweep } from "../../coordinator/spec/read-sweep.ts";
import type { Sweep } from "../../coordinator/spec/sweep.ts";
import type { NewFile } from "../../coordinator/store/write-files.ts";
import { writeFiles } from "../../coordinator/store/write-files.ts";
import type { DataSet, SourceRule } from "../../shared/datasets/data-set.ts";
import { defaultOptions } from "../../shared/datasets/data-set.ts";
import { dataSets } from "../../shared/datasets/registry.ts";
import { UsageError } from "../../shared/errors.ts";
import { moduleLoader } from "../../shared/module-loader.ts";
import { command } from "../terminal/command.ts";
import { bytes, integer, shellPath, table } from "../terminal/format.ts";
import { onInterrupt } from "../terminal/interrupt.ts";
import { createOutput } from "../terminal/output.ts";

interface DataFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

interface ShowFlags extends DataFlags {
  readonly data?: string;
  readonly picture?: string;
}

interface GetFlags extends DataFlags {
  readonly to?: string;
  readonly from?: readonly string[];
}

type PictureModule = typeof import("../../coordinator/data/picture.ts");

const load = moduleLoader(import.meta.url);

/** `ftle data`: which data sets there are, what is in one, and downloads. */
export function dataCommand(): Command {
  const data = command("data", [
    "data",
    "data show moons --picture moons.png",
    "data show digits.yaml                # the data set of a spec",
    "data get mnist",
  ]).action((flags: DataFlags) => list(flags));
  return data
    .addCommand(showCommand().copyInheritedSettings(data))
    .addCommand(getCommand().copyInheritedSettings(data));
}

function list(flags: DataFlags): void {
  const output = createOutput(flags);
  const all = Object.values(dataSets).map(({ name, doc, source, options }) => {
    return {
      name,
      doc,
      from: source === undefined ? "generated" : "files",
      options: Object.keys(options),
    };
  });
  const rows = all.map(({ name, from, doc }) => [name, from, doc]);
  output.result(table(rows), all);
}

function showCommand(): Command {
  return command("show", ["data show rings", "data show digits.yaml --picture digits.png"])
    .description("show what is in a data set: by name with its defaults, or that of a spec")
    .argument("<set>", "the name of a data set, or a spec")
    .option("--data <dir>", "where its files are, if not where the spec says")
    .option("--picture <file>", "draw its test samples: points of a plane, or images (PNG)")
    .action(async (asked: string, flags: ShowFlags) => {
      const output = createOutput(flags);
      const { data, content } = await dataOf(asked, flags);
      const made = describeData(data, content);
      const { inputs, classes, train, test, targets } = made;
      const counted = (count: readonly number[]) =>
        `${integer(sum(count))}${classes === null ? "" : `: ${count.map(integer).join(" + ")}`}`;
      const lines = [
        ["data set", data.name],
        ["inputs", integer(inputs)],
        [
          "targets",
          classes === null
            ? `${targets} values`
            : `${classes.length} classes: ${classes.join(", ")}`,
        ],
        ["train", counted(train)],
        ["test", counted(test)],
        ["identity", made.digest],
      ];
      if (flags.picture !== undefined) {
        const { pictureOf } = await load<PictureModule>("../../coordinator/data/picture.ts");
        const picture: NewFile = [basename(flags.picture), pictureOf(made.pictured)];
        await writeFiles(dirname(flags.picture), [picture], { temporaryFolder: "." });
        lines.push(["picture", flags.picture]);
      }
      const { pictured: _, ...value } = made;
      output.result(table(lines), { name: data.name, options: data.options, ...value });
    });
}

async function dataOf(
  asked: string,
  { data: moved }: ShowFlags,
): Promise<{ data: Sweep["data"]; content: ReadContent | null }> {
  if (/\.ya?ml$/.test(asked)) {
    const { sweep, content } = await readSweep(asked, { moved });
    return { data: sweep.data, content };
  }
  const definition = Object.hasOwn(dataSets, asked) ? dataSets[asked]! : null;
  if (definition === null) {
    const names = Object.keys(dataSets).join(", ");
    throw new UsageError(`expected a data set (one of ${names}) or a spec, got ${asked}`);
  }
  const { source } = definition;
  if (Object.values<SourceRule>(source ?? {}).some(({ isRequired }) => isRequired)) {
    throw new UsageError(`expected a spec, which says which file; got \`${asked}\``);
  }
  const data = { name: asked, options: defaultOptions(definition as DataSet) };
  if (source === undefined) return { data, content: null };
  return { data, content: await readContent(data, { folder: ".", moved }) };
}

function getCommand(): Command {
  return command("get", ["data get mnist", "data get fashion-mnist --to data/fashion"])
    .description("download a data set, and check it; goes on where it broke off")
    .argument("<set>", Object.keys(REMOTE_SETS).join(" or "))
    .option(
      "--to <dir>",
      "where it goes (default: its name in FTLE_DATA, or the user's folder for data)",
    )
    .option("--from <url...>", "folders to get its files from, instead of the known ones")
    .action(async (name: string, flags: GetFlags) => {
      const output = createOutput(flags);
      const known = Object.hasOwn(REMOTE_SETS, name) ? REMOTE_SETS[name] : undefined;
      if (known === undefined) {
        throw new UsageError(`expected one of ${Object.keys(REMOTE_SETS).join(", ")}, got ${name}`);
      }
      const set: RemoteSet = { ...known, sources: flags.from ?? known.sources };
      const folder = flags.to ?? join(dataFolder(), name);
      const interrupt = onInterrupt(`interrupted; go on with: ftle data get ${name}`);
      try {
        const fetched = await downloadSet(set, {
          folder,
          signal: interrupt.signal,
          onNotice: output.warn,
          onProgress: progressOn(output.note),
        });
        const text =
          fetched.length === 0
            ? `${name} is there already, and whole`
            : `${fetched.length} files of ${name}`;
        output.result(`${text}: ${shellPath(folder)}`, { name, folder, fetched });
      } finally {
        interrupt.dispose();
      }
    });
}

/** A line for every tenth of a file. */
function progressOn(note: (line: string) => void) {
  let told = "";
  return (name: string, done: number, of: number | null) => {
    const part = of === null ? Math.floor(done / 2 ** 20) : Math.floor((10 * done) / of);
    const key = `${name} ${part}`;
    if (key === told) return;
    told = key;
    note(`${name}: ${bytes(done)}${of === null ? "" : ` of ${bytes(of)}`}`);
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
