import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { randomStream } from "../numerics/random-stream.ts";
import { boundaryStatistics } from "../numerics/ridges/boundary-statistics.ts";
import { tangent, vertexWeights } from "../numerics/ridges/grid-line.ts";
import { type RidgeLine, ridgeLines } from "../numerics/ridges/ridge-lines.ts";
import { ridgeStatistics } from "../numerics/ridges/ridge-statistics.ts";
import type { StretchedField } from "../numerics/ridges/stretching.ts";
import { zeroLines } from "../numerics/ridges/zero-lines.ts";

/** Grid spacings. */
const ACCURACY = 0.02;

/** Value and angle of ξ at a point of the grid. */
type Sample = (column: number, row: number) => { value: number; angle: number };

function field(points: number, sample: Sample): StretchedField {
  const values = new Float32Array(points * points);
  const direction = new Float32Array(points * points);
  for (let i = 0; i < points * points; i++) {
    const { value, angle } = sample(i % points, Math.floor(i / points));
    values[i] = value;
    direction[i] = withoutSign(angle);
  }
  return { points, values, direction };
}

/** The same line in (−π/2, π/2]. */
function withoutSign(angle: number): number {
  const inRange = angle - Math.PI * Math.floor(angle / Math.PI);
  return inRange > Math.PI / 2 ? inRange - Math.PI : inRange;
}

const gauss = (distance: number, width: number) => Math.exp(-(distance ** 2) / (2 * width ** 2));

interface Ring {
  readonly points: number;
  readonly radius: number;
  readonly width: number;
  /** From the middle of the grid to the ring's. */
  readonly offset: readonly [x: number, y: number];
}

const rings: readonly Ring[] = [
  { points: 48, radius: 15, width: 2, offset: [0.3, -0.2] },
  { points: 64, radius: 24, width: 1.5, offset: [0, 0] },
  { points: 65, radius: 20, width: 3, offset: [0, 0] },
  { points: 128, radius: 40, width: 3, offset: [1.23, 4.56] },
  { points: 256, radius: 100, width: 12, offset: [0.5, 0.1] },
];

const middleOf = ({ points, offset: [x, y] }: Ring) => [(points - 1) / 2 + x, (points - 1) / 2 + y];

function ringField(ring: Ring): StretchedField {
  const [x, y] = middleOf(ring);
  return field(ring.points, (column, row) => ({
    value: 3 * gauss(Math.hypot(column - x!, row - y!) - ring.radius, ring.width) - 2,
    angle: Math.atan2(row - y!, column - x!),
  }));
}

/** Of every vertex. */
function radii(line: RidgeLine, ring: Ring): Float64Array {
  const [x, y] = middleOf(ring);
  return line.column.map((column, i) => Math.hypot(column - x!, line.row[i]! - y!));
}

test("ridges: a ring is one closed line at its radius, at any resolution", () => {
  for (const ring of rings) {
    const lines = ridgeLines(ringField(ring), { percentile: 70 });
    assert.equal(lines.length, 1);
    const [line] = lines as [RidgeLine];
    assert.equal(line.isClosed, true);
    assert.equal(line.column[0], line.column.at(-1));
    assert.equal(line.row[0], line.row.at(-1));
    for (const radius of radii(line, ring)) assertClose(radius, ring.radius, ACCURACY);
    assertClose(line.length / (2 * Math.PI * ring.radius), 1, 0.01);
  }
});

test("ridges: vertices follow each other along the line", () => {
  const [line] = ridgeLines(ringField(rings[3]!), { percentile: 70 }) as [RidgeLine];
  const [x, y] = middleOf(rings[3]!);
  let turned = 0;
  for (let i = 0; i + 1 < line.column.length; i++) {
    const [ax, ay] = [line.column[i]! - x!, line.row[i]! - y!];
    const [bx, by] = [line.column[i + 1]! - x!, line.row[i + 1]! - y!];
    const angle = Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
    assert.ok(angle * Math.sign(turned || angle) > 0, `back by ${angle} at ${i}`);
    turned += angle;
  }
  assertClose(Math.abs(turned), 2 * Math.PI, 1e-9);
});

test("ridges: value, sharpness and direction at a vertex are those of the field", () => {
  const ring = rings[4]!;
  const [line] = ridgeLines(ringField(ring), { percentile: 70 }) as [RidgeLine];
  const [x, y] = middleOf(ring);
  line.column.forEach((column, i) => {
    assertClose(line.value[i]!, 1, 0.005);
    assertClose(line.sharpness[i]! * (ring.width ** 2 / 3), 1, 0.01);
    const angle = line.direction[i]!;
    assert.ok(angle > -Math.PI / 2 && angle <= Math.PI / 2, `${angle}`);
    const radial = Math.atan2(line.row[i]! - y!, column - x!);
    assertClose(Math.abs(Math.cos(angle - radial)), 1, 1e-6);
  });
});

test("ridges: the direction's sign does not matter", () => {
  const plain = ringField(rings[0]!);
  const random = randomStream([1, 2], "data", 3);
  const direction = plain.direction.map((angle) => angle + Math.PI * (random.below(3) - 1));
  const lines = ridgeLines({ ...plain, direction }, { percentile: 70 });
  const [expected] = ridgeLines(plain, { percentile: 70 }) as [RidgeLine];
  assert.equal(lines.length, 1);
  assertClose(lines[0]!.length, expected.length, 1e-4);
});

test("ridges: the order of axes does not matter", () => {
  const plain = ringField(rings[3]!);
  const { points } = plain;
  const swapped = field(points, (column, row) => ({
    value: plain.values[column * points + row]!,
    angle: Math.PI / 2 - plain.direction[column * points + row]!,
  }));
  const [expected] = ridgeLines(plain, { percentile: 70 }) as [RidgeLine];
  const [line] = ridgeLines(swapped, { percentile: 70 }) as [RidgeLine];
  assertClose(line.length, expected.length, 1e-4);
  assert.equal(line.isClosed, true);
  for (const radius of radii(line, { ...rings[3]!, offset: [4.56, 1.23] })) {
    assertClose(radius, 40, ACCURACY);
  }
});

test("ridges: two crossing lines are found but for where they cross", () => {
  const points = 128;
  const width = 3;
  const tilt = Math.PI / 6;
  const [nx, ny] = [Math.cos(tilt), Math.sin(tilt)];
  /** Distances from the two lines, which cross at right angles. */
  const distances = (column: number, row: number) => {
    const [x, y] = [column - 61.3, row - 66.1];
    return [nx * x + ny * y, nx * y - ny * x] as const;
  };
  const lines = ridgeLines(
    field(points, (column, row) => {
      const [a, b] = distances(column, row);
      const isFirst = Math.abs(a) < Math.abs(b);
      return {
        value: gauss(a, width) + gauss(b, width),
        angle: isFirst ? tilt : tilt + Math.PI / 2,
      };
    }),
    { percentile: 70 },
  );
  assert.equal(lines.length, 4);
  for (const line of lines) {
    assert.equal(line.isClosed, false);
    line.column.forEach((column, i) => {
      const row = line.row[i]!;
      const [a, b] = distances(column, row);
      const isFarFromCrossing = Math.hypot(a, b) > 2;
      if (isFarFromCrossing && isInside(column, row, { points, margin: 2 })) {
        assertClose(Math.min(Math.abs(a), Math.abs(b)), 0, ACCURACY);
      }
    });
  }
  // From the crossing at (61.3, 66.1) to the border: to the right and left, then up and down.
  const { length } = ridgeStatistics(lines);
  const expected = (65.7 + 61.3) / nx + (60.9 + 66.1) / nx;
  assertClose(length / expected, 1, 0.02);
});

test("ridges: a parabola from border to border is one open line of the right length", () => {
  const points = 160;
  const [bend, summitX, summitY] = [0.008, 79.7, 30.4];
  const height = (column: number) => summitY + bend * (column - summitX) ** 2;
  const parabola = field(points, (column, row) => {
    const foot = footOn({ bend, x: column - summitX, y: row - summitY });
    const [dx, dy] = [column - summitX - foot, row - summitY - bend * foot ** 2];
    return {
      value: gauss(Math.hypot(dx, dy), 4),
      angle: Math.atan2(1, -2 * bend * foot),
    };
  });
  const lines = ridgeLines(parabola, { percentile: 70 });
  assert.equal(lines.length, 1);
  const [line] = lines as [RidgeLine];
  assert.equal(line.isClosed, false);
  line.column.forEach((column, i) => {
    if (!isInside(column, line.row[i]!, { points, margin: 2 })) return;
    const across = (line.row[i]! - height(column)) / Math.hypot(1, 2 * bend * (column - summitX));
    assertClose(across, 0, ACCURACY);
  });
  const steps = Array.from({ length: 1590 }, (_, k) => k / 10);
  const expected = steps.reduce(
    (sum, column) => sum + Math.hypot(0.1, height(column + 0.1) - height(column)),
    0,
  );
  assertClose(line.length / expected, 1, 0.01);
});

test("ridges: a line along a row of points, exactly on it, is one line", () => {
  const flat = field(32, (_, row) => ({ value: gauss(row - 12, 3), angle: Math.PI / 2 }));
  const random = randomStream([1, 2], "data", 4);
  const flipped = flat.direction.map((angle) => (random.below(2) === 0 ? angle : -angle));
  for (const direction of [flat.direction, flipped]) {
    // Without smoothing the slope on the row is 0 to the last bit.
    for (const smoothing of [0, 0.5]) {
      const lines = ridgeLines({ ...flat, direction }, { percentile: 60, smoothing });
      assert.equal(lines.length, 1);
      assertClose(lines[0]!.length, 31, 1e-3);
      for (const row of lines[0]!.row) assertClose(row, 12, 1e-3);
    }
  }
});

test("ridges: planes have none, whatever the direction", () => {
  const random = randomStream([1, 2], "data", 5);
  const [slopeX, slopeY] = [0.37, -1.13];
  const angles: Sample[] = [
    () => ({ value: 0, angle: 0 }),
    (column, row) => ({ value: 0, angle: Math.atan2(row - 30.2, column - 31.7) }),
    (column, row) => ({ value: 0, angle: (column + 2 * row) / 40 }),
    () => ({ value: 0, angle: Math.PI * random.uniform() }),
  ];
  for (const angle of angles) {
    for (const height of [0, 1, 1e4]) {
      const plane = field(64, (column, row) => ({
        value: height + (slopeX * column + slopeY * row) / 64,
        angle: angle(column, row).angle,
      }));
      for (const smoothing of [0, 0.5, 2]) {
        assert.equal(ridgeLines(plane, { percentile: 0, smoothing }).length, 0);
      }
    }
  }
});

test("ridges: a constant field, a ramp, a step and a valley have none", () => {
  const profiles: ((x: number) => number)[] = [
    () => 0.7,
    (x) => Math.max(0, x - 20.3),
    (x) => (x < 31.6 ? -1 : 2),
    (x) => -gauss(x - 30.4, 3),
  ];
  for (const profile of profiles) {
    for (const smoothing of [0, 0.5, 2]) {
      const flat = field(64, (column) => ({ value: profile(column), angle: 0 }));
      assert.equal(ridgeLines(flat, { percentile: 0, smoothing }).length, 0);
      const tilted = field(64, (column, row) => ({
        value: profile(0.8 * column + 0.6 * row - 10),
        angle: Math.atan2(0.6, 0.8),
      }));
      assert.equal(ridgeLines(tilted, { percentile: 0, smoothing }).length, 0);
    }
  }
});

test("ridges: noise makes no line of its own, and does not break one that is sharper", () => {
  const noise = randomStream([1, 2], "data", 6);
  const ring = rings[3]!;
  const noisy = (values: Float32Array, deviation: number) =>
    values.map((value) => value + deviation * noise.normal());
  const plane = field(128, (column, row) => ({ value: (column - row) / 500, angle: column / 50 }));
  for (const deviation of [1e-6, 1e-3, 0.1]) {
    const values = noisy(plane.values, deviation);
    assert.equal(ridgeLines({ ...plane, values }, { percentile: 0 }).length, 0);
  }
  const clean = ringField(ring);
  const lines = ridgeLines({ ...clean, values: noisy(clean.values, 1e-3) }, { percentile: 80 });
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!.isClosed, true);
  for (const radius of radii(lines[0]!, ring)) assertClose(radius, ring.radius, ACCURACY);
});

test("ridges: smoothing recovers a ring from strong noise", () => {
  const ring = { ...rings[4]!, radius: 90 };
  const noise = randomStream([1, 2], "data", 7);
  const clean = ringField(ring);
  const values = clean.values.map((value) => value + 0.1 * noise.normal());
  const options = { percentile: 80, smoothing: 4 };
  const lines = ridgeLines({ ...clean, values }, options);
  assert.equal(lines.length, 1);
  for (const radius of radii(lines[0]!, ring)) assertClose(radius, ring.radius, 1.5);
  assert.equal(lines[0]!.isClosed, true);
});

test("ridges: a threshold leaves out what is lower, shorter or less sharp", () => {
  const two = field(96, (column) => ({
    value: gauss(column - 30.2, 4) + 0.6 * gauss(column - 70.7, 6),
    angle: 0,
  }));
  const found = (options: Parameters<typeof ridgeLines>[1]) =>
    ridgeLines(two, options).map(({ column }) => Math.round(column[0]!));
  assert.deepEqual(found({ percentile: 50 }).sort(), [30, 71]);
  assert.deepEqual(found({ percentile: 93 }), [30]);
  assert.deepEqual(found({ percentile: 50, minimumSharpness: 0.03 }), [30]);
  assert.deepEqual(found({ percentile: 50, minimumLength: 96 }), []);
});

test("ridges: the longest comes first", () => {
  const two = field(96, (column, row) => {
    const isUpper = row > 40;
    return {
      value: gauss(isUpper ? column - 30 : column - 60, 3) * (Math.abs(row - 40) > 4 ? 1 : 0.1),
      angle: 0,
    };
  });
  const lines = ridgeLines(two, { percentile: 85 });
  assert.equal(lines.length, 2);
  const [first, second] = lines.map(({ length }) => length);
  assert.ok(first! > second! + 10, `${first} before ${second}`);
  const lowest = Math.min(...lines[0]!.row);
  assert.ok(lowest > 40, `${lowest}`);
});

test("ridges: holes interrupt a line, and what is left of it keeps its place", () => {
  const ring = rings[3]!;
  const clean = ringField(ring);
  const [x, y] = middleOf(ring);
  const isHole = (i: number) => {
    const [column, row] = [(i % 128) - x!, Math.floor(i / 128) - y!];
    return Math.hypot(column - 40, row) < 5 || row < -48 || Math.hypot(column + 28, row + 28) < 0.8;
  };
  for (const hole of [Number.NaN, Number.NEGATIVE_INFINITY]) {
    const values = clean.values.map((value, i) => (isHole(i) ? hole : value));
    const lines = ridgeLines({ ...clean, values }, { percentile: 70 });
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.equal(line.isClosed, false);
      for (const radius of radii(line, ring)) assertClose(radius, ring.radius, 0.1);
    }
    const { length, endpoints } = ridgeStatistics(lines);
    assert.equal(endpoints, 4);
    assertClose(length, 2 * Math.PI * 40 - 10 - 2, 5);
  }
});

test("ridges: nothing known, or too few points, gives none", () => {
  for (const points of [1, 2, 3, 16]) {
    const unknown = field(points, () => ({ value: Number.NaN, angle: Number.NaN }));
    assert.equal(ridgeLines(unknown, { percentile: 50 }).length, 0);
    const noDirection = field(points, (column) => ({
      value: gauss(column - 1, 1),
      angle: Number.NaN,
    }));
    assert.equal(ridgeLines(noDirection, { percentile: 0 }).length, 0);
    const few = field(points, (column) => ({ value: gauss(column - 8, 2), angle: 0 }));
    assert.equal(ridgeLines(few, { percentile: 50 }).length, points === 16 ? 1 : 0);
  }
});

test("ridges: a line ends where the direction turns along it", () => {
  // ξ is across the crest on the left, and parallel to it on the right: there it follows no crest.
  const crest = field(64, (column, row) => ({
    value: gauss(row - 30.3, 3) + 0.002 * column,
    angle: column < 40 ? Math.PI / 2 : 0,
  }));
  const lines = ridgeLines(crest, { percentile: 70, minimumSharpness: 0.01 });
  assert.equal(lines.length, 1);
  assertClose(lines[0]!.length, 39, 0.5);
  assert.equal(Math.max(...lines[0]!.column), 39);
});

test("ridges: statistics of a ring within a circular boundary are exact", () => {
  const ring = rings[4]!;
  const [x, y] = middleOf(ring);
  const lines = ridgeLines(ringField(ring), { percentile: 70 });
  const { meanSharpness, normalAlignment, ...rest } = ridgeStatistics(lines);
  assert.deepEqual(rest, { lines: 1, endpoints: 0, length: lines[0]!.length });
  assertClose(meanSharpness, 3 / ring.width ** 2, 0.02 * (3 / ring.width ** 2));
  assertClose(normalAlignment, 1, 1e-3);
  for (const distance of [7.5, -40, 0]) {
    const output = field(256, (column, row) => ({
      value: Math.hypot(column - x!, row - y!) - ring.radius - distance,
      angle: 0,
    }));
    const { meanDistance, alignment } = boundaryStatistics(lines, output);
    assertClose(meanDistance, Math.abs(distance), ACCURACY);
    assertClose(alignment, 1, 1e-3);
  }
});

test("ridges: alignments are the cosines of the angles between the lines", () => {
  // The crest is vertical, the boundary is tilted by 30° and ξ by 20° from across the crest.
  const [tilt, turn] = [Math.PI / 6, Math.PI / 9];
  const lines = ridgeLines(
    field(96, (column) => ({ value: gauss(column - 47.3, 4), angle: turn })),
    { percentile: 70 },
  );
  const output = field(96, (column, row) => ({
    value: Math.cos(tilt) * (column - 47.3) + Math.sin(tilt) * (row - 47.5),
    angle: 0,
  }));
  assert.equal(lines.length, 1);
  assertClose(ridgeStatistics(lines).normalAlignment, Math.cos(turn), 1e-4);
  const { meanDistance, alignment } = boundaryStatistics(lines, output);
  assertClose(alignment, Math.cos(tilt), 1e-4);
  // Along the crest, 95 long, the boundary is |row − 47.5|·sin 30° away.
  assertClose(meanDistance, (47.5 / 2) * Math.sin(tilt), ACCURACY);
});

test("ridges: the distance is to the nearest of several boundaries, wherever it is", () => {
  const lines = ridgeLines(
    field(200, (column) => ({ value: gauss(column - 30.3, 4), angle: 0 })),
    { percentile: 70 },
  );
  for (const boundaries of [[180.6], [100.2, 180.6], [2.1, 160], [30.3]]) {
    const output = field(200, (column) => ({
      value: boundaries.reduce((product, at) => product * (column - at), 1),
      angle: 0,
    }));
    const expected = Math.min(...boundaries.map((at) => Math.abs(at - 30.3)));
    assertClose(boundaryStatistics(lines, output).meanDistance, expected, ACCURACY);
  }
});

test("ridges: a vertex stands for half of the segments beside it, and has their chord's direction", () => {
  const corner = [Float64Array.of(0, 4, 4, 0), Float64Array.of(0, 0, 3, 0)] as const;
  const open = { column: corner[0].slice(0, 3), row: corner[1].slice(0, 3), isClosed: false };
  const closed = { column: corner[0], row: corner[1], isClosed: true };
  assert.deepEqual(Array.from(vertexWeights(open)), [2, 3.5, 1.5]);
  assert.deepEqual(Array.from(vertexWeights(closed)), [2, 3.5, 4, 2.5]);
  assert.deepEqual(tangent(open, 0), { x: 1, y: 0 });
  assert.deepEqual(tangent(open, 1), { x: 0.8, y: 0.6 });
  assert.deepEqual(tangent(open, 2), { x: 0, y: 1 });
  for (const end of [0, 3]) assert.deepEqual(tangent(closed, end), { x: 0, y: -1 });
});

test("ridges: statistics of what is not there are NaN, and of no length", () => {
  const nowhere = { points: 256, values: new Float32Array(256 * 256).fill(1) };
  const lines = ridgeLines(ringField(rings[4]!), { percentile: 70 });
  const none = { meanDistance: Number.NaN, alignment: Number.NaN };
  assert.deepEqual(boundaryStatistics(lines, nowhere), none);
  assert.deepEqual(boundaryStatistics([], ringField(rings[4]!)), none);
  assert.deepEqual(ridgeStatistics([]), {
    lines: 0,
    length: 0,
    meanSharpness: Number.NaN,
    endpoints: 0,
    normalAlignment: Number.NaN,
  });
});

test("ridges: the zero line of an output is closed, within the grid, at its radius", () => {
  const lines = zeroLines(
    field(64, (column, row) => ({ value: Math.hypot(column - 31, row - 29) - 20, angle: 0 })),
  );
  assert.equal(lines.length, 1);
  assert.equal(lines[0]!.isClosed, true);
  lines[0]!.column.forEach((column, i) => {
    assertClose(Math.hypot(column - 31, lines[0]!.row[i]! - 29), 20, 0.01);
  });
});

test("ridges: the same field gives the same lines", () => {
  const ring = ringField(rings[1]!);
  const before = { values: ring.values.slice(), direction: ring.direction.slice() };
  const first = ridgeLines(ring, { percentile: 70 });
  assert.equal(isDeepStrictEqual(ridgeLines(ring, { percentile: 70 }), first), true);
  assert.equal(isDeepStrictEqual({ values: ring.values, direction: ring.direction }, before), true);
});

/** The x of the parabola's point nearest to a point, by Newton's method from where they share their height. */
function footOn({ bend, x, y }: { bend: number; x: number; y: number }): number {
  const distance = (u: number) => (u - x) ** 2 + (bend * u * u - y) ** 2;
  const starts = [x, Math.sign(x) * Math.sqrt(Math.max(0, y) / bend), 0];
  let foot = starts.reduce((best, u) => (distance(u) < distance(best) ? u : best));
  for (let pass = 0; pass < 50; pass++) {
    const slope = foot - x + 2 * bend * foot * (bend * foot * foot - y);
    const curvature = 1 + 6 * bend * bend * foot * foot - 2 * bend * y;
    foot -= slope / Math.max(curvature, 0.3);
  }
  return foot;
}

function isInside(
  column: number,
  row: number,
  { points, margin }: { points: number; margin: number },
): boolean {
  const isWithin = (place: number) => place >= margin && place <= points - 1 - margin;
  return isWithin(column) && isWithin(row);
}

function assertClose(actual: number, expected: number, tolerance: number): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance,
    `${actual}, expected ${expected} ± ${tolerance}`,
  );
}
