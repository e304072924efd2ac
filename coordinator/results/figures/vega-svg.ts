import { type Config, parse, type Spec, View } from "vega";

/** The colour of axes, frames and text. */
export const INK = "#222";

/** The family that `render-png.ts` ships. */
const FONT = "DejaVu Sans, sans-serif";

/** House style of every figure; a spec's own properties override it. */
const STYLE: Config = {
  background: "white",
  axis: {
    domainColor: INK,
    tickColor: INK,
    tickSize: 4,
    grid: false,
    labelColor: INK,
    labelFont: FONT,
    labelFontSize: 11,
    titleColor: INK,
    titleFont: FONT,
    titleFontSize: 13,
    titleFontWeight: "normal",
  },
  legend: { labelColor: INK, labelFont: FONT, labelFontSize: 12, symbolSize: 60 },
  title: {
    color: INK,
    font: FONT,
    fontSize: 14,
    fontWeight: "normal",
    subtitleColor: INK,
    subtitleFont: FONT,
    subtitleFontSize: 11,
  },
  text: { fill: INK, font: FONT, fontSize: 13 },
};

/** Draws a Vega specification as SVG text; the same specification gives the same text. */
export async function drawVega(spec: Spec): Promise<string> {
  const view = new View(parse(spec, STYLE), { renderer: "none" });
  try {
    return typeset(printable(await view.toSVG()));
  } finally {
    view.finalize();
  }
}

/** Without the characters that XML forbids (https://www.w3.org/TR/xml/#charsets): the replacement character instead. */
function printable(svg: string): string {
  const wellFormed = Buffer.from(svg).toString(); // half a surrogate pair becomes one, too
  return wellFormed.replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, "\ufffd");
}

/**
 * Sets one character after `_` as a subscript where it follows a Greek letter, as in σ_w²: Unicode has
 * no subscript w, and Vega no mark-up. Other underscores stay, because they are part of names.
 */
function typeset(svg: string): string {
  // Only text between tags: the same labels are also in attributes, for screen readers.
  return svg.replace(/>[^<]+</g, (text) =>
    text.replace(
      /(\p{Script=Greek})_([\p{L}\d])(?![\p{L}\d])(&[^;]+;|[^<&])?/gu,
      '$1<tspan dy="0.3em" font-size="70%">$2</tspan><tspan dy="-0.21em">$3</tspan>',
    ),
  );
}
