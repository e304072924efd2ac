import type { CompletedCommand, Value } from "./describe.ts";

/** A completion script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  return `# fish completion for ftle. Keep it: ftle completion fish > ~/.config/fish/completions/ftle.fish

# Folders that are sweeps, or lead to some.
function __ftle_sweeps
    set -l folders (commandline -ct)*/
    for folder in $folders
        set -l below $folder*/
        if test -f $folder/sweep.json; or count $below >/dev/null
            echo $folder
        end
    end
end

# Specs, and folders that may have some.
function __ftle_specs
    set -l token (commandline -ct)
    set -l found $token*.yaml $token*.yml $token*/
    string join \\n -- $found
end

# Ids of the cells of the sweep that is an argument before.
function __ftle_cells
    for word in (commandline -opc)
        if test -d $word/cells
            set -l cells $word/cells/*/
            for cell in $cells
                string replace -r '.*/([^/]+)/$' '$1' $cell
            end
        end
    end
end

# Whether this many words, options not counted, come before this one.
function __ftle_after
    test (count (string match -v -- '-*' (commandline -opc))) -eq $argv[1]
end

complete -c ftle -f
${commands.flatMap((command) => commandLines(commands, command)).join("\n")}
`;
}

function commandLines(
  commands: readonly CompletedCommand[],
  { path, summary, options, arguments: values, hasCommands }: CompletedCommand,
): string[] {
  const seen = `__fish_seen_subcommand_from ${path.at(-1)}`;
  const siblings = commands
    .filter((other) => other.path.length === path.length)
    .map((other) => other.path.at(-1));
  const above = path.slice(0, -1);
  const isFirst =
    above.length === 0
      ? "__fish_use_subcommand"
      : `__fish_seen_subcommand_from ${above.at(-1)}; and not __fish_seen_subcommand_from ${siblings.join(" ")}`;
  const name = `complete -c ftle -n ${quoted(isFirst)} -a ${path.at(-1)} -d ${quoted(summary)}`;
  if (hasCommands) return [name];
  const ofOptions = options.map(({ flags, summary, value }) => {
    const names = flags.map((flag) =>
      flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
    );
    const of = value === null ? "" : ` -r ${argumentsOf(value)}`;
    return `complete -c ftle -n ${quoted(seen)} ${names.join(" ")} -d ${quoted(summary)}${of}`;
  });
  const ofArguments = values.map((value, i) => {
    const isHere = values.length > 1 ? `; and __ftle_after ${path.length + 1 + i}` : "";
    return `complete -c ftle -n ${quoted(seen + isHere)} ${argumentsOf(value)}`;
  });
  return [name, ...ofArguments, ...ofOptions];
}

function argumentsOf(value: Value): string {
  switch (value.kind) {
    case "words":
      return `-f -a ${quoted(value.words.join(" "))}`;
    case "spec":
      return "-f -a '(__ftle_specs)'";
    case "sweep":
      return "-f -a '(__ftle_sweeps)'";
    case "cell":
      return "-f -a '(__ftle_cells)'";
    case "file":
      return "-F";
    case "folder":
      return "-f -a '(__fish_complete_directories (commandline -ct))'";
    case "anything":
      return "-f";
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
