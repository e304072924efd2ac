/** Names that follow from content: cells, fields, random keys, blobs (design §6). */
import { createHash, hash } from "node:crypto";
import { canonicalJson } from "./canonical-json.ts";
import type { CellPhysics, FieldGrid } from "./cell.ts";
import { layerWidths } from "./numerics/network.ts";

/**
 * The first 16 hex digits of the SHA-256 of the physics' canonical JSON. 64 bits: among 10⁶ cells the
 * chance of any collision is 3·10⁻⁸, and the plan refuses one.
 */
export function cellId(physics: CellPhysics): string {
  const members = Object.keys(physics)
    .sort()
    .map((key) => `"${key}":${memoisedJson(physics[key as keyof CellPhysics])}`);
  return sha256Hex(`{${members.join(",")}}`).slice(0, 16);
}

/** The first 8 hex digits of the SHA-256 of the grid: names a field among those of one cell and snapshot. */
export function fieldId(grid: FieldGrid): string {
  const { region, points, layers, plane } = grid;
  const inPlane = plane === undefined ? {} : { plane };
  return sha256Hex(canonicalJson({ region, points, layers, ...inPlane })).slice(0, 8);
}

/**
 * Key of a cell's random numbers. It depends only on the seed and the layer widths: every engine
 * starts from the same weights, a longer training starts like the shorter one, and along the
 * variance axis the same normal deviates are scaled.
 */
export function randomKey(physics: CellPhysics): readonly [number, number] {
  const text = canonicalJson({ seed: physics.seed, widths: layerWidths(physics.network) });
  const digest = createHash("sha256").update(text).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}

/** `sha256:` and 64 hex digits. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${hash("sha256", bytes)}`;
}

const jsonOf = new WeakMap<object, string>();

/** A plan's cells share most of their parts; each part is serialised once. */
function memoisedJson(value: CellPhysics[keyof CellPhysics]): string {
  if (typeof value !== "object") return canonicalJson(value);
  let json = jsonOf.get(value);
  if (json === undefined) {
    json = canonicalJson(value);
    jsonOf.set(value, json);
  }
  return json;
}

function sha256Hex(text: string): string {
  return hash("sha256", text);
}
