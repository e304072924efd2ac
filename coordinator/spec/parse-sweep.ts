import { basename, extname } from "node:path";
import type { Facts } from "../../shared/datasets/content.ts";
import { dataSets } from "../../shared/datasets/registry.ts";
import { analysesComplaints } from "./analyses-faults.ts";
import { formComplaints, type SoundParts, soundParts } from "./form-faults.ts";
import { largeNetwork } from "./large-network.ts";
import { latticeComplaints } from "./lattice-faults.ts";
import { WEIGHTS } from "./parameters.ts";
import { resolveAxes, resolveSweep, resolveZip } from "./resolve.ts";
import { type SpecForm, sweepSchema } from "./schema.ts";
import type { Fault } from "./spec-error.ts";
import { type Complaint, readSpecText } from "./spec-text.ts";
import type { GivenSections, Sweep, SweepContent } from "./sweep.ts";
import { trainingComplaints } from "./training-faults.ts";
import { isVaried, variantComplaints } from "./variant-faults.ts";
import { sectionsSchema } from "./variants.ts";
import { contradiction, whereComplaints } from "./where-faults.ts";

export interface ParseContext {
  /** Names the sweep where the text does not. */
  readonly file: string;
  /** What was read of its data set, if that is from files. */
  readonly content?: SweepContent | undefined;
  /** What was read of imported networks. */
  readonly networks?: Sweep["networks"];
}

export type ParsedSweep = { readonly sweep: Sweep } | { readonly faults: readonly Fault[] };

/**
 * The sweep that a YAML text describes, or all faults of the text, in its order.
 * Pure. Without the content of a data set from files, or of imported networks, what depends on it is not checked, and the
 * sweep has no field by default.
 */
export function parseSweep(text: string, { file, content, networks }: ParseContext): ParsedSweep {
  const spec = readSpecText(text);
  if (spec.value === undefined) return { faults: spec.faults };
  const named = withDataName(spec.value);
  const facts = content?.facts ?? null;
  const form = sweepSchema.safeParse(named);
  const complaints = form.success
    ? soundComplaints(form.data, { value: spec.value, facts, networks })
    : [...formComplaints(form.error.issues), ...contentComplaints(soundParts(named), facts)];
  const faults = [...spec.faults, ...complaints.map(spec.place)];
  if (form.success && faults.length === 0) {
    return {
      sweep: resolveSweep(form.data, {
        name: nameOf(file),
        given: givenIn(spec.value),
        content,
        networks,
      }),
    };
  }
  return { faults: faults.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** With an axis over data sets, `data` holds the options that they have in common, and is checked as one of the first. */
function withDataName(value: unknown): unknown {
  const { axes, data } = (value ?? {}) as { axes?: Record<string, unknown>; data?: unknown };
  const names = axes?.["data.name"];
  const name: unknown = Array.isArray(names) ? names[0] : undefined;
  const isNameless = typeof data === "object" && data !== null && !("name" in data);
  if (!isNameless || typeof name !== "string" || !Object.hasOwn(dataSets, name)) return value;
  return { ...(value as object), data: { name, ...data } };
}

/** What is wrong with a spec whose form has no faults. */
function soundComplaints(
  form: SpecForm,
  {
    value,
    facts,
    networks,
  }: { value: unknown; facts: Facts | null; networks: Sweep["networks"] | undefined },
): Complaint[] {
  const complaints = [
    ...contentComplaints(form, facts),
    ...idleVariance(value),
    ...weightsInSection(form),
  ];
  if (complaints.length > 0 || !isVaried(form)) return complaints;
  const axes = resolveAxes(form.axes);
  const { parameters = [] } = axes;
  const { activation } = form.network;
  const where = [form.where].flat();
  const zip = resolveZip(form.zip, parameters);
  const lattice = { axes, zip, where, network: { activation }, ...(networks ? { networks } : {}) };
  return variantComplaints({ form, given: givenIn(value), lattice, facts });
}

/** An axis of variances, which has a default, means nothing for networks from files. */
function idleVariance(value: unknown): Complaint[] {
  const { axes } = value as { axes: Record<string, unknown> };
  if (!(WEIGHTS in axes) || !("weightVariance" in axes)) return [];
  const expected = "no `weightVariance`, as the networks are not random";
  return [{ path: ["axes", "weightVariance"], concernsKey: true, expected, hint: "" }];
}

/** One network is an axis of one value: what is not on an axis would be ignored. */
function weightsInSection({ network }: SpecForm): Complaint[] {
  if (network.weights === undefined) return [];
  const expected = "`network.weights` in `axes`, in place of `width` and `depth`";
  return [{ path: ["network", "weights"], concernsKey: true, expected, hint: "" }];
}

/** Faults beyond the form of single parts, as far as the parts without faults of form show them. */
function contentComplaints(parts: SoundParts, facts: Facts | null): Complaint[] {
  const ofLattice = [...latticeComplaints(parts), ...whereComplaints(parts)];
  if (ofLattice.length === 0) ofLattice.push(...complaintsOfCells(parts));
  // Where options vary, they are checked together with the values of their axes.
  if (isVaried(parts)) return ofLattice;
  return [...ofLattice, ...trainingComplaints(parts, facts), ...analysesComplaints(parts, facts)];
}

/** The sections whose options may vary, as written. */
function givenIn(value: unknown): GivenSections {
  const sections = Object.entries(value as GivenSections).filter(
    ([key]) => key in sectionsSchema.shape,
  );
  return Object.fromEntries(sections);
}

/** Checked only if nothing that determines the lattice has faults. */
function complaintsOfCells({ axes, zip, where, network }: SoundParts): Complaint[] {
  const activation = network?.activation;
  if (!isWhole(axes) || !zip || !where || !activation) return [];
  const resolved = resolveAxes(axes);
  const lattice = {
    axes: resolved,
    zip: resolveZip(zip, resolved.parameters ?? []),
    where: [where].flat(),
    network: { activation },
  };
  return [...contradiction(lattice), ...largeNetwork(lattice)];
}

function isWhole(axes: SoundParts["axes"]): axes is SpecForm["axes"] {
  if (axes?.weightVariance === undefined || axes.seed === undefined) return false;
  const isLattice = axes.width !== undefined && axes.depth !== undefined;
  return axes.hidden ? !axes.width && !axes.depth : isLattice;
}

/** The file's name without folder and extension, reduced to characters that a sweep's name may have. */
function nameOf(file: string): string {
  const stem = basename(file, extname(file)).replace(
    /[^0-9A-Za-z\u00c0-\ud7ff\uf900-\ufffd ._-]+/g,
    "-",
  );
  return stem.replace(/^[ ._-]+/, "").slice(0, 80) || "sweep";
}
