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

/** How sealed text ends: the digest, as its last member, of the text without it. */
const SEAL = /(,?)\n "sha256": "([0-9a-f]{64})"\n\}\n$/;
const SEAL_LENGTH = ',\n "sha256": ""\n}\n'.length + 64;

/** @returns the content, or null if the text is not one that was sealed, byte by byte. */
export function unsealJson(text: string): Content | null {
  const ending = SEAL.exec(text.slice(-SEAL_LENGTH));
  if (ending === null) return null;
  const [found, comma, sha256] = ending;
  const rest = text.slice(0, text.length - found.length);
  const digest = createHash("sha256")
    .update(rest)
    .update(comma === "" ? "}\n" : "\n}\n");
  if (digest.digest("hex") !== sha256) return null;
  try {
    const sealed: unknown = JSON.parse(text);
    if (typeof sealed !== "object" || sealed === null) return null;
    const { sha256: _, ...content } = sealed as Content;
    return content;
  } catch {
    return null; // sealed, but by a stranger: anyone can seal a text
  }
}

function spell(content: Content): string {
  return `${JSON.stringify(content, null, 1)}\n`;
}
