import type { CompletedCommand, Value } from "./describe.ts";

/** A completion script for bash, without its library `bash-completion`. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  return `# bash completion for ftle. Load it in ~/.bashrc: source <(ftle completion bash)

# Folders that are sweeps, or lead to some.
_ftle_sweeps() {
  local folder
  compopt -o filenames
  while IFS= read -r folder; do
    if [[ -f $folder/sweep.json ]] || compgen -G "$folder/*/" >/dev/null; then COMPREPLY+=("$folder"); fi
  done < <(compgen -d -- "$1")
}

# Ids of a sweep's cells: folder, beginning.
_ftle_cells() {
  local cell
  for cell in "$1"/cells/"$2"*/cell.json; do
    [[ -f $cell ]] || continue
    cell=\${cell%/cell.json}
    COMPREPLY+=("\${cell##*/}")
  done
}

_ftle_specs() {
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen -d -- "$1"; compgen -f -X '!*.yaml' -- "$1"; compgen -f -X '!*.yml' -- "$1")
}

_ftle_words() { mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1"); }
_ftle_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$1"); }
_ftle_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$1"); }

_ftle() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  local command= place=0 folder= i
  COMPREPLY=()
  # Which command it is, and how many of its arguments are there.
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$command \${COMP_WORDS[i]}" in
      ${optionPatterns(commands)}) ((i++)) ;;
      *' '-*) ;;
      ${commandPatterns(commands)}) command="$command \${COMP_WORDS[i]}" ;;
      *) ((place++)); [[ $place -gt 1 ]] || folder=\${COMP_WORDS[i]} ;;
    esac
  done
  case "$command $before" in
${commands.flatMap(optionCases).join("\n")}
  esac
  if [[ $current == -* ]]; then
    case "$command" in
${commands.map(flagsCase).join("\n")}
      *) _ftle_words "$current" "--help --version" ;;
    esac
    return
  fi
  case "$command $place" in
    ' 0') _ftle_words "$current" "${namesBelow(commands, [])} help" ;;
${commands.flatMap((command) => argumentCases(commands, command)).join("\n")}
  esac
}
complete -F _ftle ftle
`;
}

function key(path: readonly string[]): string {
  return path.map((word) => ` ${word}`).join("");
}

/** Of options that take a value, so that the value is no argument. */
function optionPatterns(commands: readonly CompletedCommand[]): string {
  return commands
    .flatMap(({ path, options }) =>
      options
        .filter(({ value }) => value !== null)
        .flatMap(({ flags }) => flags.map((flag) => `'${key(path)} ${flag}'`)),
    )
    .join(" | ");
}

function commandPatterns(commands: readonly CompletedCommand[]): string {
  return commands.map(({ path }) => `'${key(path)}'`).join(" | ");
}

function optionCases({ path, options }: CompletedCommand): string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === null) return [];
    const patterns = flags.map((flag) => `'${key(path)} ${flag}'`).join(" | ");
    return [`    ${patterns}) ${call(value)}; return ;;`];
  });
}

function flagsCase({ path, options }: CompletedCommand): string {
  const flags = options.flatMap((option) => option.flags).join(" ");
  return `      '${key(path)}') _ftle_words "$current" "${flags}" ;;`;
}

function argumentCases(commands: readonly CompletedCommand[], command: CompletedCommand): string[] {
  const { path, hasCommands, arguments: values } = command;
  if (hasCommands) {
    return [`    '${key(path)} 0') _ftle_words "$current" "${namesBelow(commands, path)}" ;;`];
  }
  return values.map((value, place) => `    '${key(path)} ${place}') ${call(value)} ;;`);
}

function namesBelow(commands: readonly CompletedCommand[], above: readonly string[]): string {
  return commands
    .filter(({ path }) => path.length === above.length + 1 && key(path).startsWith(key(above)))
    .map(({ path }) => path.at(-1))
    .join(" ");
}

function call(value: Value): string {
  switch (value.kind) {
    case "words":
      return `_ftle_words "$current" "${value.words.join(" ")}"`;
    case "spec":
      return '_ftle_specs "$current"';
    case "sweep":
      return '_ftle_sweeps "$current"';
    case "cell":
      return '_ftle_cells "$folder" "$current"';
    case "file":
      return '_ftle_files "$current"';
    case "folder":
      return '_ftle_folders "$current"';
    case "anything":
      return ":";
  }
}
