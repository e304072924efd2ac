import { basename, extname } from "node:path";
import { formComplaints, type SoundParts, soundParts } from "./form-faults.ts";
import { latticeComplaints } from "./lattice-faults.ts";
import { resolveAxes, resolveSweep, resolveZip } from "./resolve.ts";
import { type SpecForm, sweepSchema } from "./schema.ts";
import type { Fault } from "./spec-error.ts";
import { type Complaint, readSpecText } from "./spec-text.ts";
import type { Sweep } from "./sweep.ts";
import { trainingComplaints } from "./training-faults.ts";
import { contradiction, whereComplaints } from "./where-faults.ts";

export type ParsedSweep = { readonly sweep: Sweep } | { readonly faults: readonly Fault[] };

/**
 * The sweep that a YAML text describes, or everything that is wrong with the text, in its order.
 * Pure; `file` names the sweep where the text does not.
 */
export function parseSweep(text: string, { file }: { file: string }): ParsedSweep {
  const spec = readSpecText(text);
  if (spec.value === undefined) return { faults: spec.faults };
  const form = sweepSchema.safeParse(spec.value);
  const complaints = form.success
    ? contentComplaints(form.data)
    : [...formComplaints(form.error.issues), ...contentComplaints(soundParts(spec.value))];
  const faults = [...spec.faults, ...complaints.map(spec.place)];
  if (form.success && faults.length === 0) {
    return { sweep: resolveSweep(form.data, { name: nameOf(file) }) };
  }
  return { faults: faults.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** What is wrong beyond the form of single parts, as far as the parts of sound form tell. */
function contentComplaints(parts: SoundParts): Complaint[] {
  const ofLattice = [...latticeComplaints(parts), ...whereComplaints(parts)];
  if (ofLattice.length === 0) ofLattice.push(...contradictionIn(parts));
  return [...ofLattice, ...trainingComplaints(parts)];
}

/** Judged only where all that decides the lattice is sound. */
function contradictionIn({ axes, zip, where, network }: SoundParts): Complaint[] {
  const activation = network?.activation;
  if (!isWhole(axes) || !zip || !where || !activation) return [];
  return contradiction({
    axes: resolveAxes(axes),
    zip: resolveZip(zip),
    where: [where].flat(),
    network: { activation },
  });
}

function isWhole(axes: SoundParts["axes"]): axes is SpecForm["axes"] {
  if (axes?.weightVariance === undefined || axes.seed === undefined) return false;
  const isLattice = axes.width !== undefined && axes.depth !== undefined;
  return axes.hidden ? !axes.width && !axes.depth : isLattice;
}

/** The file's name without folder and ending, in the letters that a sweep's name may have. */
function nameOf(file: string): string {
  const stem = basename(file, extname(file)).replace(/[^0-9A-Za-z\u00c0-\uffff ._-]+/g, "-");
  return stem.replace(/^[ ._-]+/, "").slice(0, 80) || "sweep";
}
