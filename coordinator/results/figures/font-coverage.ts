/** Which characters a TrueType font has, from its `cmap` table (https://learn.microsoft.com/typography/opentype/spec/cmap). */
import { readFileSync } from "node:fs";

/** Whether a font file has a glyph for a code point. */
export function fontCoverage(file: string): (codePoint: number) => boolean {
  const groups = characterGroups(readFileSync(file));
  return (codePoint) => groups.some(([from, to]) => codePoint >= from && codePoint <= to);
}

/** Ranges of code points with glyphs, from the subtable in format 12, which large fonts have. */
function characterGroups(font: Buffer): [from: number, to: number][] {
  const cmap = tableOffset(font, "cmap");
  const subtables = Array.from({ length: font.readUInt16BE(cmap + 2) }, (_, i) => {
    return cmap + font.readUInt32BE(cmap + 4 + 8 * i + 4);
  });
  const full = subtables.find((at) => font.readUInt16BE(at) === 12);
  if (full === undefined) throw new TypeError("expected a font with a cmap subtable in format 12");
  return Array.from({ length: font.readUInt32BE(full + 12) }, (_, i) => {
    const at = full + 16 + 12 * i;
    return [font.readUInt32BE(at), font.readUInt32BE(at + 4)];
  });
}

function tableOffset(font: Buffer, tag: string): number {
  for (let i = 0; i < font.readUInt16BE(4); i++) {
    const at = 12 + 16 * i;
    if (font.toString("latin1", at, at + 4) === tag) return font.readUInt32BE(at + 8);
  }
  throw new TypeError(`expected a font with a table ${tag}`);
}
