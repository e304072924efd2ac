import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import { fontCoverage } from "./font-coverage.ts";

const require = createRequire(import.meta.url);

/** Shipped with the program, so that a picture is the same on every machine. */
const FONT_FILES = ["DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold"].map((face) =>
  require.resolve(`dejavu-fonts-ttf/ttf/${face}.ttf`),
);

/** The letters of an SVG's text that the PNG's font does not have, each once: boxes appear in their place. */
export function missingLetters(svg: string): string {
  const text = svg.replace(/<[^>]*>/g, "").replace(/&[^;]*;/g, "");
  const letters = [...new Set(text)].filter((letter) => !/[\p{Cc}\p{Cf}\s]/u.test(letter));
  if (letters.every((letter) => letter < "\u0250")) return ""; // the font has Latin letters
  const hasGlyph = fontCoverage(FONT_FILES[0]!);
  return letters.filter((letter) => !hasGlyph(letter.codePointAt(0)!)).join("");
}

/** How large a PNG becomes: its width in pixels, or pixels per unit of the SVG. */
export type PngSize = { readonly width: number } | { readonly scale: number };

/** Renders SVG text as the bytes of a PNG; text is set in DejaVu Sans, whatever the system has. */
export function renderPng(svg: string, size: PngSize = { scale: 2 }): Uint8Array {
  const image = new Resvg(svg, {
    fitTo:
      "width" in size ? { mode: "width", value: size.width } : { mode: "zoom", value: size.scale },
    font: {
      fontFiles: FONT_FILES,
      loadSystemFonts: false,
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
    },
  });
  return image.render().asPng();
}
