/** The Vega marks of a lattice figure, over the data sets that `lattice-figure.ts` makes. */

import type { Axis, EncodeEntry, GroupMark, Mark } from "vega";
import type { Region } from "../../../shared/cell.ts";
import { colour, colourBarImage } from "./field-raster.ts";
import { hatchPath } from "./panel-paths.ts";
import { INK } from "./vega-svg.ts";

/** Lengths in CSS pixels. */
export interface LatticeLayout {
  /** Of one panel. */
  readonly width: number;
  readonly height: number;
  /** Whether x and y have the same scale. */
  readonly isToScale: boolean;
  /** From one panel's left or upper edge to the next one's. */
  readonly stepX: number;
  readonly stepY: number;
  /** Of the lattice. */
  readonly totalWidth: number;
  readonly totalHeight: number;
}

/** What the colour bar shows. */
export interface ColourScale {
  readonly title: string;
  /** The scale reaches from −limit to limit. */
  readonly limit: number;
  /** Some values lie beyond the limit: the bar gets pointed ends. */
  readonly isSaturated: boolean;
}

const AT_PANEL: EncodeEntry = { x: { field: "x" }, y: { field: "y" } };

/** Stands out from red, blue and black. */
const RIDGE = "#00c853";

/** The panels in layers, from the back to the front. */
export function panelMarks(
  { width, height }: LatticeLayout,
  { hasRidges }: { readonly hasRidges: boolean },
): Mark[] {
  const box: EncodeEntry = { ...AT_PANEL, width: { value: width }, height: { value: height } };
  const isSmall = width < 120;
  const weight = isSmall ? 0.7 : 1;
  const labelSize = isSmall ? 8 : 11;
  return [
    image("fields", { ...box, url: { field: "image" } }),
    paths("fields", { path: { field: "ticks" }, ...line("black", 0.9 * weight) }),
    paths("fields", { path: { field: "boundary" }, ...line("white", 3 * weight) }),
    paths("fields", { path: { field: "boundary" }, ...line("black", 1.4 * weight) }),
    ...(hasRidges
      ? [paths("fields", { path: { field: "ridge" }, ...line(RIDGE, 1.6 * weight) })]
      : []),
    rectangles("blanks", { ...box, fill: { value: "#f6f6f6" } }),
    paths("blanks", { path: { value: hatchPath({ width, height }) }, ...line("#e2e2e2", 1) }),
    texts("blanks", {
      text: { field: "note" },
      x: { field: "x", offset: width / 2 },
      y: { field: "y", offset: height / 2 },
      align: { value: "center" },
      baseline: { value: "middle" },
      fontSize: { value: 11 },
    }),
    rectangles("panels", {
      x2: { field: "x", offset: width },
      y: { field: "y" },
      // About as wide as the label: there is no way to measure a font here.
      width: { signal: `length(datum.label) && ${0.6 * labelSize} * length(datum.label) + 6` },
      height: { value: labelSize + 5 },
      fill: { value: "white" },
      fillOpacity: { value: 0.85 },
    }),
    texts("panels", {
      text: { field: "label" },
      x: { field: "x", offset: width - 3 },
      y: { field: "y", offset: 3 },
      align: { value: "right" },
      baseline: { value: "top" },
      fontSize: { value: labelSize },
    }),
    rectangles("panels", { ...box, ...OUTLINE }),
  ];
}

/** Coordinates at the left and the lower edge of the lattice, names of its rows and columns. */
export function outerAxes({ width, height, totalHeight }: LatticeLayout, region: Region): Mark[] {
  const style = { labelFlush: true, labelOverlap: "parity", domain: false } as const;
  return [
    {
      type: "group",
      from: { data: "rows" },
      encode: { enter: { y: { field: "y" } } },
      axes: [
        {
          ...style,
          ...numbers(region.y),
          orient: "left",
          scale: "y",
          tickCount: tickCount(height),
          title: "y",
          titleX: -42,
          titleAngle: 0,
        },
      ],
    },
    {
      type: "group",
      from: { data: "columns" },
      encode: { enter: { x: { field: "x" }, y: { value: totalHeight } } },
      axes: [
        {
          ...style,
          ...numbers(region.x),
          orient: "bottom",
          scale: "x",
          tickCount: tickCount(width),
          title: "x",
        },
      ],
    },
    texts("rows", {
      text: { field: "label" },
      x: { value: -62 },
      y: { field: "y", offset: height / 2 },
      angle: { value: -90 },
      align: { value: "center" },
    }),
    texts("columns", {
      text: { field: "label" },
      x: { field: "x", offset: width / 2 },
      y: { value: -10 },
      align: { value: "center" },
    }),
  ];
}

/** In ordinary notation, unless that takes more digits than there is space for. */
function numbers([from, to]: readonly [number, number]): Partial<Axis> {
  const largest = Math.max(Math.abs(from), Math.abs(to));
  if (largest < 1e5 && to - from >= 1e-2) return { format: "~f" };
  const signal = "datum.value === 0 ? '0' : format(datum.value, '.2~e')";
  return { encode: { labels: { update: { text: { signal } } } } };
}

/** The title above the lattice. */
export function figureTitle(title: string): Mark {
  return {
    type: "text",
    encode: { enter: { text: { value: title }, y: { value: -36 }, fontSize: { value: 14 } } },
  };
}

/** The colour bar on the right, in the middle of a high lattice. */
export function colourBar(layout: LatticeLayout, scale: ColourScale): GroupMark {
  const { title, limit, isSaturated } = scale;
  const width = 14;
  const tip = isSaturated ? 12 : 0;
  const height = Math.min(layout.totalHeight, 640) - 2 * tip;
  const ends = [
    { path: `M0,0H${width}L${width / 2},${-tip}Z`, x: 0, y: 0, fill: colour(1) },
    { path: `M0,0H${width}L${width / 2},${tip}Z`, x: 0, y: height, fill: colour(-1) },
  ];
  const box: EncodeEntry = { width: { value: width }, height: { value: height } };
  return {
    type: "group",
    encode: {
      enter: {
        x: { value: layout.totalWidth + 20 },
        y: { value: (layout.totalHeight - height) / 2 },
      },
    },
    data: [
      { name: "bar", values: [{ image: colourBarImage() }] },
      { name: "ends", values: isSaturated ? ends : [] },
    ],
    scales: [{ name: "colour", domain: [-limit, limit], range: [height, 0] }],
    axes: [
      {
        orient: "right",
        scale: "colour",
        values: [-1, -0.5, 0, 0.5, 1].map((part) => part * limit),
        format: ".3~r",
        offset: width,
        domain: false,
        title,
        titleAngle: -90,
        titleBaseline: "top",
      },
    ],
    marks: [
      image("bar", { ...box, url: { field: "image" } }),
      rectangles("bar", { ...box, ...OUTLINE }),
      paths("ends", { path: { field: "path" }, fill: { field: "fill" }, ...OUTLINE }),
    ],
  };
}

const OUTLINE = line(INK, 0.8);

function line(colour: string, strokeWidth: number): EncodeEntry {
  return { stroke: { value: colour }, strokeWidth: { value: strokeWidth } };
}

/** As many as there is space for, and no more than are easy to read. */
function tickCount(length: number): number {
  return Math.min(5, Math.ceil(length / 32));
}

function image(data: string, look: EncodeEntry): Mark {
  return {
    type: "image",
    from: { data },
    encode: { enter: { ...look, aspect: { value: false } } },
  };
}

function paths(data: string, look: EncodeEntry): Mark {
  return { type: "path", from: { data }, encode: { enter: { ...AT_PANEL, ...look } } };
}

function rectangles(data: string, look: EncodeEntry): Mark {
  return { type: "rect", from: { data }, encode: { enter: look } };
}

function texts(data: string, look: EncodeEntry): Mark {
  return { type: "text", from: { data }, encode: { enter: look } };
}
