import type { CompletedCommand, CompletedOption, Value } from "./describe.ts";

/** A completion script for zsh, over its function `_arguments`. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  return `#compdef ftle
# zsh completion for ftle. Load it in ~/.zshrc, after compinit: source <(ftle completion zsh)

# Folders that are sweeps, or lead to some.
_ftle_sweeps() {
  local folder
  local -a sweeps
  for folder in \${~PREFIX}*(N-/); do
    [[ -f $folder/sweep.json || -n $folder/*(#qN-/) ]] && sweeps+=($folder)
  done
  compadd -f -- $sweeps
}

# Ids of the cells of the sweep that is the argument before.
_ftle_cells() {
  local -a cells
  cells=(\${~line[1]}/cells/*(N-/:t))
  compadd -- $cells
}

${commands.map((command) => commandFunction(commands, command)).join("\n")}
${dispatcher(commands, [])}
compdef _ftle ftle
`;
}

function commandFunction(commands: readonly CompletedCommand[], command: CompletedCommand): string {
  const { path, options, arguments: values, hasCommands } = command;
  if (hasCommands) return dispatcher(commands, path);
  const specs = [
    ...options.flatMap(optionSpecs),
    ...values.map((value, i) => quoted(`${i + 1}: :${action(value)}`)),
  ];
  return `${functionName(path)}() {
  local -a line
  _arguments -S : \\
    ${specs.join(" \\\n    ")}
}`;
}

/** Completes the names of a command's subcommands, and continues with the one that is given. */
function dispatcher(commands: readonly CompletedCommand[], above: readonly string[]): string {
  const below = commands.filter(
    ({ path }) => path.length === above.length + 1 && above.every((word, i) => path[i] === word),
  );
  const names = below.map(({ path, summary }) => quoted(`${path.at(-1)}:${summary}`));
  const cases = below.map(({ path }) => `        ${path.at(-1)}) ${functionName(path)} ;;`);
  return `${functionName(above)}() {
  local state
  local -a line
  _arguments -C : '(-h --help)'{-h,--help}'[display help]' '1: :->command' '*:: :->rest'
  case $state in
    command)
      local -a names=(
        ${names.join("\n        ")}
      )
      _describe command names
      ;;
    rest)
      case $line[1] in
${cases.join("\n")}
      esac
      ;;
  esac
}`;
}

function optionSpecs({ flags, summary, value }: CompletedOption): string[] {
  const exclusive = flags.length > 1 ? `(${flags.join(" ")})` : "";
  const meaning = `[${summary.replace(/[[\]:\\]/g, "\\$&")}]`;
  const of = value === null ? "" : `: :${action(value)}`;
  return flags.map((flag) => quoted(`${exclusive}${flag}${meaning}${of}`));
}

function action(value: Value): string {
  switch (value.kind) {
    case "words":
      return `(${value.words.join(" ")})`;
    case "spec":
      return '_files -g "*.(yaml|yml)"';
    case "sweep":
      return "_ftle_sweeps";
    case "cell":
      return "_ftle_cells";
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "anything":
      return " ";
  }
}

function functionName(path: readonly string[]): string {
  return ["_ftle", ...path].join("_");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
