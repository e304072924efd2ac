/** Names of a sweep's axes: those of parameters have their path or, where unambiguous, its last part as name. */

/** The axes that every lattice has; `hidden` in place of `width` and `depth`. */
export const LATTICE_AXES = ["width", "depth", "hidden", "weightVariance", "seed"] as const;

/** Words with another meaning where axes are named: in constraints, tables, arrays and figures. */
const RESERVED: ReadonlySet<string> = new Set([
  ...LATTICE_AXES,
  ...["logGain", "snapshot", "epoch", "cell", "status", "name"],
  ...["layer", "x", "y", "lambda1", "direction", "output"],
]);

/** The name of each of these paths: its last part, unless another path ends with it or it is reserved. */
export function axisNames(paths: readonly string[]): Map<string, string> {
  const lasts = paths.map(lastPart);
  return new Map(
    paths.map((path, i) => {
      const last = lasts[i]!;
      const isUnique = lasts.filter((other) => other === last).length === 1;
      return [path, isUnique && !RESERVED.has(last) ? last : path];
    }),
  );
}

/** The path that a word refers to, as the path itself or its name; undefined if none. */
export function axisNamed(word: string, paths: readonly string[]): string | undefined {
  if (paths.includes(word)) return word;
  for (const [path, name] of axisNames(paths)) if (name === word) return path;
  return undefined;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}
