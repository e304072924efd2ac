import { closest, distance } from "fastest-levenshtein";

/**
 * Asks whether `word` was meant to be one of the literal words of `expected`, which are in backticks;
 * undefined if none is similar, or `word` is one of them. A heuristic: half of the letters may differ, and case does not count.
 */
export function spellingHint(word: string, expected: string): string | undefined {
  const literals = Array.from(expected.matchAll(/`([\w.-]+)`/g), (match) => match[1]!);
  if (literals.length === 0) return undefined;
  const nearest = closest(word.toLowerCase(), literals);
  const isNear = nearest !== word && distance(word.toLowerCase(), nearest) <= word.length / 2;
  return isNear ? `did you mean \`${nearest}\`?` : undefined;
}
