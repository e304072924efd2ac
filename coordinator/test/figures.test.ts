import assert from "node:assert/strict";
import { test } from "node:test";
import { convertIndexedToRgb, decode } from "fast-png";
import type { LatticeFigure, LatticePanel } from "../results/figures/lattice-figure.ts";
import { drawLattice } from "../results/figures/lattice-figure.ts";
import { drawLines } from "../results/figures/line-figure.ts";
import { missingLetters, renderPng } from "../results/figures/render-png.ts";

const POINTS = 64;

function field(value: (x: number, y: number) => number, points = POINTS): Float32Array {
  const at = (i: number) => (2 * (i + 0.5)) / points - 1;
  return Float32Array.from({ length: points * points }, (_, i) =>
    value(at(i % points), at(Math.floor(i / points))),
  );
}

const ring = field((x, y) => 3 * Math.exp(-(((Math.hypot(x, y) - 0.8) / 0.1) ** 2)));

function panel(values: Float32Array | null, rest: Partial<LatticePanel> = {}): LatticePanel {
  const points = values === null ? POINTS : Math.sqrt(values.length);
  return {
    row: 0,
    column: 0,
    points,
    values,
    direction: null,
    boundaries: [],
    label: "",
    note: null,
    ...rest,
  };
}

function figure(panels: readonly LatticePanel[], rest: Partial<LatticeFigure> = {}): LatticeFigure {
  return {
    title: "a title",
    rows: ["N = 10"],
    columns: ["L = 2"],
    region: { x: [-1, 1], y: [-1, 1] },
    panels,
    colour: { title: "L λ₁", limit: 4 },
    directions: false,
    ...rest,
  };
}

/** The panel's image inside an SVG of one panel: colour at (x, y), both in −1…1, y upwards. */
function imageOf(svg: string): (x: number, y: number) => readonly [number, number, number] {
  const url = /(?:xlink:)?href="data:image\/png;base64,([^"]+)"/.exec(svg)?.[1];
  assert.ok(url, "no image in the figure");
  const indexed = decode(Buffer.from(url, "base64"));
  const { width, height } = indexed;
  const data = convertIndexedToRgb(indexed);
  return (x, y) => {
    const column = Math.min(width - 1, Math.floor(((x + 1) / 2) * width));
    const row = Math.min(height - 1, Math.floor(((1 - y) / 2) * height));
    const at = (row * width + column) * 3;
    return [data[at]!, data[at + 1]!, data[at + 2]!] as [number, number, number];
  };
}

const isReddish = ([r, , b]: readonly number[]) => r! > b! + 40;
const isBluish = ([r, , b]: readonly number[]) => b! > r! + 40;

test("lattice figure: a ridge is red where it is, and zero is nearly white", async () => {
  const at = imageOf(await drawLattice(figure([panel(ring)])));
  assert.ok(isReddish(at(0.8, 0)) && isReddish(at(0, -0.8)));
  assert.ok(at(0, 0).every((channel) => channel > 235));
});

test("lattice figure: y points upwards and x to the right", async () => {
  const at = imageOf(
    await drawLattice(figure([panel(field((x, y) => (y > 0 ? 3 : x > 0 ? -3 : 0)))])),
  );
  assert.ok(isReddish(at(0, 0.5)));
  assert.ok(isBluish(at(0.5, -0.5)));
  assert.ok(at(-0.5, -0.5).every((channel) => channel > 235));
});

test("lattice figure: the scale is symmetric about zero", async () => {
  const at = imageOf(await drawLattice(figure([panel(field((x) => 2 * Math.sign(x)))])));
  const [red, blue] = [at(0.5, 0), at(-0.5, 0)];
  assert.ok(isReddish(red) && isBluish(blue));
});

test("lattice figure: unknown values are grey", async () => {
  const at = imageOf(await drawLattice(figure([panel(field((x) => (x > 0 ? Number.NaN : 1)))])));
  const [r, g, b] = at(0.5, 0);
  assert.ok(r === g && g === b && r < 235);
});

test("lattice figure: shows rows, columns, title, label, colour bar, and why a panel is empty", async () => {
  const panels = [
    panel(ring, { label: "98.6 %" }),
    panel(null, { column: 1, note: "diverged at epoch 3" }),
  ];
  const svg = await drawLattice(figure(panels, { columns: ["L = 2", "L = 4"] }));
  for (const text of [
    "a title",
    "N = 10",
    "L = 2",
    "L = 4",
    "98.6 %",
    "diverged at epoch 3",
    "L λ₁",
  ]) {
    assert.ok(svg.includes(text), `no ${text}`);
  }
});

test("lattice figure: draws directions and the decision boundary when asked", async () => {
  const output = field((x, y) => Math.hypot(x, y) - 0.5);
  const direction = field(() => Math.PI / 4);
  const plain = await drawLattice(figure([panel(ring, { direction })]));
  const both = panel(ring, { direction, boundaries: [output] });
  const full = await drawLattice(figure([both], { directions: true }));
  const paths = (svg: string) => svg.match(/<path[^>]* d="[^"]{100,}"/g)?.length ?? 0;
  assert.ok(paths(full) >= paths(plain) + 2, `${paths(plain)} and ${paths(full)} long paths`);
});

test("lattice figure: unusual fields are drawn, too", async () => {
  const odd = [
    [panel(field(() => Number.NaN))],
    [panel(field(() => 0))],
    [panel(field(() => 1, 1))],
    [panel(field(() => Number.POSITIVE_INFINITY))],
    [],
  ];
  for (const panels of odd) {
    const svg = await drawLattice(figure(panels, { colour: { title: "λ₁", limit: "auto" } }));
    assert.ok(renderPng(svg).length > 0);
  }
});

test("lattice figure: a coarse grid has sharp squares of equal size", async () => {
  const at = imageOf(await drawLattice(figure([panel(Float32Array.of(4, -4, -4, 4))])));
  for (const t of [0.01, 0.5, 0.99]) {
    assert.deepEqual(at(t, t), at(0.5, 0.5));
    assert.deepEqual(at(t, -t), at(0.5, -0.5));
  }
  assert.ok(isReddish(at(0.01, 0.01)) && isBluish(at(0.01, -0.01)));
});

test("lattice figure: an automatic limit is a round number that almost nothing exceeds", async () => {
  const auto = { title: "λ₁", limit: "auto" } as const;
  const svg = await drawLattice(figure([panel(field((x) => 3.7 * x))], { colour: auto }));
  assert.ok(svg.includes(">4<") && svg.includes(">−4<"));
});

test("lattice figure: the same data give the same bytes", async () => {
  const draw = async () => renderPng(await drawLattice(figure([panel(ring)])));
  assert.deepEqual(await draw(), await draw());
});

test("line figure: the same data give the same text", async () => {
  const points = [1, 2, 3].flatMap((x) => ["a", "b"].map((series) => ({ x, y: x * x, series })));
  const draw = () => drawLines({ title: "t", x: { title: "x" }, y: { title: "y" }, points });
  assert.equal(await draw(), await draw());
});

test("lattice figure: a lattice of twenty by twenty stays of bounded size", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `N = ${i}`);
  const panels = names.flatMap((_, row) => names.map((_, column) => panel(ring, { row, column })));
  const svg = await drawLattice(figure(panels, { rows: names, columns: names }));
  const { width, height } = decode(renderPng(svg));
  assert.ok(width < 4500 && height < 4500, `${width} × ${height}`);
});

test("line figure: shows axes and series, and counts the points that it leaves out", async () => {
  const points = [10, 50, 250].flatMap((x) =>
    ["L = 2", "L = 8"].flatMap((series) => [1, 2, 3].map((y) => ({ x, y: y * x, series }))),
  );
  points.push({ x: 10, y: Number.NaN, series: "L = 2" });
  const svg = await drawLines({
    title: "t",
    x: { title: "width N", log: true },
    y: { title: "mean λ₁" },
    points,
  });
  for (const text of ["width N", "mean λ₁", "L = 2", "L = 8", "1 of 19 points left out", "250"]) {
    assert.ok(svg.includes(text), `no ${text}`);
  }
  assert.ok(renderPng(svg).length > 1000);
});

test("line figure: a subscript ends before an entity, and names keep their underscores", async () => {
  const [x, y] = [{ title: "x" }, { title: "y" }];
  const svg = await drawLines({ title: "sweep_a · σ_w<1", x, y, points: [] });
  assert.match(svg, />sweep_a · σ<tspan [^>]*>w<\/tspan><tspan [^>]*>&lt;<\/tspan>1</);
  assert.ok(renderPng(svg).length > 1000);
});

test("line figure: unusual data are drawn, too", async () => {
  const one = { x: 1, y: 0.9, series: "" };
  for (const points of [[], [one], [{ ...one, x: 0 }], [one, { ...one, x: 1e6, y: 1e-6 }]]) {
    const axes = { x: { title: "x", log: true }, y: { title: "y", log: true } };
    assert.ok(renderPng(await drawLines({ title: "", ...axes, points })).length > 0);
  }
});

test("line figure: a subscript in a label is set as one, and the SVG stays well-formed", async () => {
  const points = [0.5, 1].map((x) => ({ x, y: x, series: `σ_w² = ${x}` }));
  const x = { title: "initial weight variance σ_w²" };
  const svg = await drawLines({ title: "σ_w²", x, y: { title: "λ₁" }, points });
  assert.ok(renderPng(svg).length > 1000);
  assert.match(svg, /σ<tspan[^>]*>w<\/tspan>/);
  assert.match(svg, /aria-label="[^"]*σ_w²/);
});

test("png: letters are drawn without any font of the system", async () => {
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="30"><rect width="80" height="30" fill="white"/><text x="4" y="22" font-size="18" font-family="DejaVu Sans, sans-serif">${text}</text></svg>`;
  const ink = (text: string) =>
    decode(renderPng(svg(text))).data.filter((value) => value < 100).length;
  for (const text of ["λ₁", "σ²", "−0.5", "N = 10"]) assert.ok(ink(text) > 50, text);
  assert.equal(ink(""), 0);
});

for (const region of [
  { x: [-1, 1], y: [0, 0.001] },
  { x: [-1, 1], y: [0, 0.1] },
  { x: [0, 1e-9], y: [-1e6, 1e6] },
] as const) {
  const { x, y } = region;
  test(`lattice figure: a strip of x ${x.join("…")}, y ${y.join("…")} has a visible panel and colour bar`, async () => {
    const svg = await drawLattice(figure([panel(ring)], { region }));
    const images = Array.from(svg.matchAll(/<image [^>]*>/g), ([tag]) => {
      return ["width", "height"].map((side) =>
        Number(new RegExp(` ${side}="([\\d.]+)"`).exec(tag)?.[1]),
      );
    });
    const [field, bar] = images as [number[], number[]];
    assert.ok(Math.min(...field!) >= 48, `a field of ${field!.join(" × ")}`);
    assert.ok(bar![1]! >= 100, `a colour bar of ${bar![1]}`);
    assert.match(svg, /x and y at different scales/);
  });
}

test("lattice figure: a title is drawn without the characters that XML forbids", async () => {
  const svg = await drawLattice(figure([panel(ring)], { title: "a\uffffb\u0001c\ud800d" }));
  assert.match(svg, /a\ufffdb\ufffdc\ufffdd/);
  assert.ok(renderPng(svg).length > 1000);
});

test("png: letters that its font does not have are reported, each once", async () => {
  const titled = (title: string) => drawLattice(figure([panel(ring)], { title }));
  assert.equal(missingLetters(await titled("網絡 網 Ω é العربية")), "網絡");
  assert.equal(missingLetters(await titled("Ω σ_w² Привет")), "");
});
