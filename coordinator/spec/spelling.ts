import { closest, distance } from "fastest-levenshtein";

/**
 * Asks whether one of the literal words of `expected`, which stand in backticks, was meant by `word`;
 * undefined if none is near, or it is one of them. A heuristic: half of the letters may differ, and case does not count.
 */
export function spellingHint(word: string, expected: string): string | undefined {
  const literals = Array.from(expected.matchAll(/`([\w.-]+)`/g), (match) => match[1]!);
  if (literals.length === 0) return undefined;
  const nearest = closest(word.toLowerCase(), literals);
  const isNear = nearest !== word && distance(word.toLowerCase(), nearest) <= word.length / 2;
  return isNear ? `did you mean \`${nearest}\`?` : undefined;
}
