/** What is wrong with the constraints of a spec. */
import { parameterForms } from "./axes-schema.ts";
import { parameterValues } from "./axis-values.ts";
import { combinations, type Lattice } from "./enumerate.ts";
import type { SoundParts } from "./form-faults.ts";
import type { SpecForm } from "./schema.ts";
import type { Complaint, Path } from "./spec-text.ts";
import type { ParameterAxis } from "./sweep.ts";
import { compileWhere, WhereSyntaxError } from "./where.ts";

/** Constraints that cannot be understood. */
export function whereComplaints({ where = [], axes = {} }: SoundParts): Complaint[] {
  const parameters = parametersOf(axes);
  return writtenConstraints(where).flatMap(({ path, source }) => {
    try {
      compileWhere(source, parameters);
      return [];
    } catch (error) {
      if (!(error instanceof WhereSyntaxError)) throw error;
      const { index: offset, expected, found, hint = "" } = error.problem;
      return [{ path, offset, expected, found, hint }];
    }
  });
}

/** A complaint about constraints that exclude every combination of a lattice without other faults. */
export function contradiction(lattice: Lattice): Complaint[] {
  const { done: isEmpty } = combinations(lattice).next();
  if (!isEmpty) return [];
  const constraints = lattice.where.map((source) => `\`${source}\``).join(" with ");
  return [
    {
      path: ["where"],
      expected: "constraints that at least one combination of axis values satisfies",
      found: constraints,
    },
  ];
}

/** For axes of numbers, which may be too long for any memory, a constraint does not need the values. */
function parametersOf(axes: NonNullable<SoundParts["axes"]>): ParameterAxis[] {
  return parameterForms(axes).map(([parameter, form]) => {
    const { path, kind } = parameter;
    const isNumber = kind === "integer" || kind === "number";
    return { path, values: isNumber ? [0] : parameterValues(parameter, form).list() };
  });
}

function writtenConstraints(where: SpecForm["where"]): { path: Path; source: string }[] {
  if (typeof where === "string") return [{ path: ["where"], source: where }];
  return where.map((source, i) => ({ path: ["where", i], source }));
}
