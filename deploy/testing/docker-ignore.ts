/**
 * Whether a path is left out of a build's context. The last pattern that fits the path, or a folder above it, decides.
 * https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function isIgnored(path: string, patterns: string): boolean {
  const names = path.split("/");
  const above = names.map((_, n) => names.slice(0, n + 1).join("/"));
  let ignored = false;
  for (const line of patterns.split("\n")) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const isException = line.startsWith("!");
    const pattern = toRegExp(line.slice(isException ? 1 : 0).trim());
    if (above.some((each) => pattern.test(each))) ignored = !isException;
  }
  return ignored;
}

/** `*` is within one name, `**` over any number of folders, none included. */
function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("**/", "\0")
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]")
    .replaceAll("\0", "(?:.*/)?");
  return new RegExp(`^${source}$`);
}
