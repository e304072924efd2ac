/* What the preview's page does in the browser: draws the panels in PANELS with uPlot. */
/* global PANELS, uPlot */
const COLORS = ["#7eb26d", "#eab839", "#6ed0e0", "#ef843c", "#e24d42", "#1f78c1", "#ba43a9"];
const NAMED = {
  green: "#73bf69",
  yellow: "#fade2a",
  orange: "#ff9830",
  red: "#f2495c",
  blue: "#5794f2",
  text: "#ccccdc",
  "light-blue": "#8ab8ff",
  purple: "#b877d9",
};
const UNIT = 30; // pixels of one row of the grid

const thousands = (value, suffix) => {
  for (const [size, letter] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (Math.abs(value) >= size) return `${digits(value / size)} ${letter}${suffix}`;
  }
  return `${digits(value)}${suffix === "" ? "" : ` ${suffix}`}`;
};
const digits = (value) =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
const bytes = (value, suffix) => {
  for (const [size, letter] of [
    [2 ** 30, "Gi"],
    [2 ** 20, "Mi"],
    [2 ** 10, "Ki"],
  ]) {
    if (value >= size) return `${digits(value / size)} ${letter}${suffix}`;
  }
  return `${digits(value)} ${suffix}`;
};
const seconds = (value) => {
  const size = Math.abs(value);
  if (size >= 86_400) return `${digits(value / 86_400)} d`;
  if (size >= 3_600) return `${digits(value / 3_600)} h`;
  if (size >= 60) return `${digits(value / 60)} min`;
  return size >= 1 || size === 0 ? `${digits(value)} s` : `${digits(value * 1000)} ms`;
};
/** A value with its unit, by Grafana's ids. */
function shown(value, unit) {
  if (value === null || Number.isNaN(value)) return "–";
  if (unit === "percentunit") return `${digits(100 * value)} %`;
  if (unit === "s") return seconds(value);
  if (unit === "flops") return thousands(value, "FLOP/s");
  if (unit === "bytes") return bytes(value, "B");
  if (unit === "Bps") return bytes(value, "B/s");
  if (unit === "ops" || unit === "cps") return thousands(value, "/s");
  if (unit.startsWith("dateTime")) return new Date(value).toISOString().slice(11, 19);
  return thousands(value, "");
}

/** The colour of a value by the panel's thresholds. */
function colorOf(value, { thresholds }) {
  const steps = thresholds?.steps ?? [];
  const step = steps.findLast(
    ({ value: from }) => from === null || from === undefined || value >= from,
  );
  return NAMED[step?.color] ?? step?.color ?? NAMED.text;
}

function seriesColor(panel, name, index) {
  const own = panel.overrides.find(({ matcher }) => matcher.options === name)?.properties;
  const fixed = own?.find(({ id }) => id === "color")?.value.fixedColor;
  return NAMED[fixed] ?? fixed ?? COLORS[index % COLORS.length];
}

/** Half of a colour and half of the panel's ground: opaque, so that what lies under it in a stack is hidden. */
function darker(hex) {
  const ground = [0x18, 0x1b, 0x1f];
  const parts = ground.map(
    (dark, i) => (dark + parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16)) >> 1,
  );
  return `rgb(${parts.join(" ")})`;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function drawStat(panel, body) {
  for (const { name, value } of panel.values.slice(0, 4)) {
    const box = element("div", "stat");
    const text = element("div", "value", panel.showsName ? name : shown(value, panel.unit));
    text.style.color = colorOf(value, panel.defaults);
    box.append(text);
    if (panel.values.length > 1 && !panel.showsName) box.append(element("div", "name", name));
    body.append(box);
  }
}

function drawBars(panel, body) {
  const most =
    panel.unit === "percentunit" ? 1 : Math.max(1, ...panel.values.map(({ value }) => value));
  panel.values.forEach(({ name, value }, i) => {
    const row = element("div", "bar");
    const track = element("div", "track");
    const fill = element("div", "fill");
    fill.style.width = `${(100 * value) / most}%`;
    fill.style.background = seriesColor(panel, name, i);
    track.append(fill);
    row.append(
      element("div", "label", name),
      track,
      element("div", "number", shown(value, panel.unit)),
    );
    body.append(row);
  });
}

function drawTable(panel, body) {
  const table = element("table", "");
  const row = (cells, tag) => {
    const line = element("tr", "");
    for (const cell of cells) line.append(element(tag, "", cell));
    table.append(line);
  };
  row(
    panel.columns.map(({ name }) => name),
    "th",
  );
  for (const cells of panel.rows) {
    row(
      cells.map((cell, c) =>
        typeof cell === "number" ? shown(cell, panel.columns[c].unit) : cell,
      ),
      "td",
    );
  }
  body.append(table);
}

function drawSeries(panel, body, size) {
  const isStacked = panel.stacking === "normal";
  const times = panel.times;
  let sums = times.map(() => 0);
  const drawn = panel.series.map(({ values }) => {
    if (!isStacked) return values;
    sums = sums.map((sum, i) => sum + (values[i] ?? 0));
    return [...sums];
  });
  const finite = drawn.flat().filter((value) => value !== null && Number.isFinite(value));
  const [least, most] = [Math.min(...finite), Math.max(...finite)];
  const low = panel.unit.startsWith("dateTime") ? least : Math.min(0, least);
  const range =
    most > low
      ? [low, low + (most - low) * 1.08]
      : [low - 0.5 * (Math.abs(low) || 1), low + (Math.abs(low) || 1)];
  const axis = {
    stroke: "#9fa1a8",
    grid: { stroke: "#2c3235", width: 1 },
    ticks: { show: false },
    font: "11px sans-serif",
  };
  const lines = panel.series.map(({ name }, i) => {
    const stroke = seriesColor(panel, name, i);
    return {
      label: name,
      stroke,
      width: 1.5,
      points: { show: false },
      ...(isStacked ? { fill: darker(stroke) } : {}),
    };
  });
  // Those that are on top of a stack are drawn first.
  const order = isStacked ? lines.map((_, i) => lines.length - 1 - i) : lines.map((_, i) => i);
  new uPlot(
    {
      ...size,
      legend: { show: false },
      cursor: { show: false },
      scales: { y: { range: () => range } },
      axes: [
        {
          ...axis,
          values: (_, ticks) =>
            ticks.map((time) => new Date(1000 * time).toISOString().slice(11, 19)),
          space: 80,
        },
        { ...axis, size: 72, values: (_, ticks) => ticks.map((value) => shown(value, panel.unit)) },
      ],
      series: [{}, ...order.map((i) => lines[i])],
    },
    [times, ...order.map((i) => drawn[i])],
    body,
  );
  const legend = element("div", "legend");
  panel.series.slice(0, 9).forEach(({ name }, i) => {
    const key = element("span", "key", name);
    key.style.setProperty("--color", lines[i].stroke);
    legend.append(key);
  });
  body.append(legend);
}

/** Buckets from below as rows, times as columns: how many fell into each. */
function drawHeatmap(panel, body, { width, height }) {
  const canvas = element("canvas", "");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const left = 64;
  const cellHeight = (height - 18) / panel.series.length;
  const cellWidth = (width - left) / panel.times.length;
  const most = Math.max(
    ...panel.series.flatMap(({ values }) => values.map((value) => value ?? 0)),
    1e-12,
  );
  context.font = "11px sans-serif";
  panel.series.forEach(({ name, values }, row) => {
    const y = (panel.series.length - 1 - row) * cellHeight;
    values.forEach((value, column) => {
      if (!value) return;
      const t = Math.sqrt(value / most);
      context.fillStyle = `hsl(${280 - 220 * t} 70% ${25 + 40 * t}%)`;
      context.fillRect(left + column * cellWidth, y, Math.max(1, cellWidth - 0.5), cellHeight - 1);
    });
    context.fillStyle = "#9fa1a8";
    context.fillText(
      name === "+Inf" ? "more" : `≤ ${shown(Number(name), panel.unit)}`,
      2,
      y + cellHeight / 2 + 4,
    );
  });
  const at = (i) => new Date(1000 * panel.times[i]).toISOString().slice(11, 19);
  context.fillText(at(0), left, height - 4);
  context.fillText(at(panel.times.length - 1), width - 56, height - 4);
  body.append(canvas);
}

const DRAW = {
  stat: drawStat,
  gauge: drawStat,
  bargauge: drawBars,
  table: drawTable,
  timeseries: drawSeries,
  heatmap: drawHeatmap,
};

let bottom = 0;
for (const panel of PANELS) {
  const { x, y, w, h } = panel.gridPos;
  const box = element("section", panel.type === "row" ? "row" : "panel");
  const columns = document.getElementById("grid").clientWidth / 24;
  const height = h * UNIT;
  Object.assign(box.style, {
    left: `${x * columns}px`,
    top: `${y * UNIT}px`,
    width: `${w * columns - 8}px`,
    height: `${height - 8}px`,
  });
  box.append(element("h2", "", panel.title));
  document.getElementById("grid").append(box);
  bottom = Math.max(bottom, (y + h) * UNIT);
  if (panel.type === "row") continue;
  const body = element("div", `body ${panel.type}`);
  box.append(body);
  if (panel.isEmpty) body.append(element("div", "nothing", "No data"));
  else
    DRAW[panel.type](panel, body, {
      width: w * columns - 26,
      height: height - (panel.type === "timeseries" ? 72 : 46),
    });
}
document.getElementById("grid").style.height = `${bottom}px`;
document.body.dataset.drawn = "yes";
