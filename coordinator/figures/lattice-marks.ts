/** The Vega marks of a lattice figure, over the data sets that `lattice-figure.ts` makes. */

import type { EncodeEntry, GroupMark, Mark } from "vega";
import { colour, colourBarImage } from "./field-raster.ts";
import { hatchPath } from "./panel-paths.ts";
import { INK } from "./vega-svg.ts";

/** Lengths in CSS pixels. */
export interface LatticeLayout {
  /** Of one panel. */
  readonly width: number;
  readonly height: number;
  /** From one panel's left or upper edge to the next one's. */
  readonly stepX: number;
  readonly stepY: number;
  /** Of the lattice. */
  readonly totalWidth: number;
  readonly totalHeight: number;
}

/** What the colour bar says. */
export interface ColourScale {
  readonly title: string;
  /** The scale reaches from −limit to limit. */
  readonly limit: number;
  /** Some values lie beyond the limit: the bar gets pointed ends. */
  readonly isSaturated: boolean;
}

const AT_PANEL: EncodeEntry = { x: { field: "x" }, y: { field: "y" } };

/** The panels in layers, from the back to the front. */
export function panelMarks({ width, height }: LatticeLayout): Mark[] {
  const box: EncodeEntry = { ...AT_PANEL, width: { value: width }, height: { value: height } };
  const smallText = { value: width < 100 ? 10 : 11 };
  return [
    {
      type: "image",
      from: { data: "fields" },
      encode: {
        enter: {
          ...box,
          url: { field: "image" },
          smooth: { field: "isSmooth" },
          aspect: { value: false },
        },
      },
    },
    paths("fields", {
      path: { field: "ticks" },
      stroke: { value: "black" },
      strokeWidth: { value: 0.9 },
    }),
    paths("fields", {
      path: { field: "boundary" },
      stroke: { value: "white" },
      strokeWidth: { value: 3 },
    }),
    paths("fields", {
      path: { field: "boundary" },
      stroke: { value: "black" },
      strokeWidth: { value: 1.4 },
    }),
    {
      type: "rect",
      from: { data: "blanks" },
      encode: { enter: { ...box, fill: { value: "#f6f6f6" } } },
    },
    paths("blanks", {
      path: { value: hatchPath({ width, height }) },
      stroke: { value: "#dddddd" },
    }),
    {
      type: "rect",
      from: { data: "panels" },
      encode: { enter: { ...box, stroke: { value: INK }, strokeWidth: { value: 0.8 } } },
    },
    ...haloed("blanks", {
      text: { field: "note" },
      x: { field: "x", offset: width / 2 },
      y: { field: "y", offset: height / 2 },
      align: { value: "center" },
      baseline: { value: "middle" },
      fontSize: { value: 11 },
    }),
    ...haloed("panels", {
      text: { field: "label" },
      x: { field: "x", offset: width - 5 },
      y: { field: "y", offset: 5 },
      align: { value: "right" },
      baseline: { value: "top" },
      fontSize: smallText,
    }),
  ];
}

/** Coordinates at the left and the lower edge of the lattice, names of its rows and columns. */
export function outerAxes({ width, height, totalHeight }: LatticeLayout): Mark[] {
  const ticks = { tickCount: width < 150 ? 3 : 5, labelFlush: true, domain: false };
  return [
    {
      type: "group",
      from: { data: "rows" },
      encode: { enter: { y: { field: "y" } } },
      axes: [{ ...ticks, orient: "left", scale: "y", title: "y", titleX: -36, titleAngle: 0 }],
    },
    {
      type: "group",
      from: { data: "columns" },
      encode: { enter: { x: { field: "x" }, y: { value: totalHeight } } },
      axes: [{ ...ticks, orient: "bottom", scale: "x", title: "x" }],
    },
    {
      type: "text",
      from: { data: "rows" },
      encode: {
        enter: {
          text: { field: "label" },
          x: { value: -60 },
          y: { field: "y", offset: height / 2 },
          angle: { value: -90 },
          align: { value: "center" },
        },
      },
    },
    {
      type: "text",
      from: { data: "columns" },
      encode: {
        enter: {
          text: { field: "label" },
          x: { field: "x", offset: width / 2 },
          y: { value: -10 },
          align: { value: "center" },
        },
      },
    },
  ];
}

/** The title above the lattice. */
export function figureTitle(title: string): Mark {
  return {
    type: "text",
    encode: { enter: { text: { value: title }, y: { value: -36 }, fontSize: { value: 14 } } },
  };
}

/** The colour bar on the right, in the middle of a high lattice. */
export function colourBar(
  layout: LatticeLayout,
  { title, limit, isSaturated }: ColourScale,
): GroupMark {
  const width = 14;
  const height = Math.min(layout.totalHeight, 400) - (isSaturated ? 24 : 0);
  const ends = [
    { tip: `M0,0L${width},0L${width / 2},-12Z`, y: 0, fill: colour(1) },
    { tip: `M0,0L${width},0L${width / 2},12Z`, y: height, fill: colour(-1) },
  ];
  const outline = { stroke: { value: INK }, strokeWidth: { value: 0.8 } };
  return {
    type: "group",
    encode: {
      enter: {
        x: { value: layout.totalWidth + 20 },
        y: { value: (layout.totalHeight - height) / 2 },
      },
    },
    data: [{ name: "ends", values: isSaturated ? ends : [] }],
    scales: [{ name: "colour", domain: [-limit, limit], range: [height, 0] }],
    axes: [{ orient: "right", scale: "colour", tickCount: 5, offset: width, domain: false }],
    marks: [
      {
        type: "image",
        encode: {
          enter: {
            url: { value: colourBarImage() },
            width: { value: width },
            height: { value: height },
            aspect: { value: false },
          },
        },
      },
      paths("ends", {
        path: { field: "tip" },
        fill: { field: "fill" },
        x: { value: 0 },
        ...outline,
      }),
      {
        type: "rect",
        encode: { enter: { width: { value: width }, height: { value: height }, ...outline } },
      },
      {
        type: "text",
        encode: {
          enter: {
            text: { value: title },
            x: { value: width + 56 },
            y: { value: height / 2 },
            angle: { value: -90 },
            align: { value: "center" },
          },
        },
      },
    ],
  };
}

function paths(data: string, look: EncodeEntry): Mark {
  return { type: "path", from: { data }, encode: { enter: { ...AT_PANEL, ...look } } };
}

/** Text with a white rim, legible on any colour. */
function haloed(data: string, look: EncodeEntry): Mark[] {
  const rim = {
    stroke: { value: "white" },
    strokeWidth: { value: 3 },
    strokeJoin: { value: "round" },
    strokeOpacity: { value: 0.85 },
  } as const;
  return [rim, { fill: { value: INK } }].map((ink) => ({
    type: "text",
    from: { data },
    encode: { enter: { ...look, ...ink } },
  }));
}
