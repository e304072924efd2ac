import { createHash } from "node:crypto";

type Content = Record<string, unknown>;

/** The content with a last member `sha256`: the digest of its JSON without that member. */
export function seal(content: Content): Content {
  const sha256 = createHash("sha256").update(spell(content)).digest("hex");
  return { ...content, sha256 };
}

/** What was sealed; null if it has changed since. */
export function unseal(sealed: unknown): Content | null {
  if (typeof sealed !== "object" || sealed === null) return null;
  const { sha256, ...content } = sealed as Content;
  return seal(content).sha256 === sha256 ? content : null;
}

/** Sealed JSON text: a change of a single byte is detected. */
export function sealJson(content: Content): string {
  return spell(seal(content));
}

/** @returns the content, or null if the text is not exactly what `sealJson` wrote. */
export function unsealJson(text: string): Content | null {
  let sealed: unknown;
  try {
    sealed = JSON.parse(text);
  } catch {
    return null; // a damaged file is an expected finding, reported by the caller
  }
  const content = unseal(sealed);
  return content !== null && sealJson(content) === text ? content : null;
}

function spell(content: Content): string {
  return `${JSON.stringify(content, null, 1)}\n`;
}
