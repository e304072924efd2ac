import { FtleError } from "../shared/errors.ts";
import { exactChecks } from "../shared/numerics/exact-checks.ts";
import type { Engine } from "./engines/engine.ts";

/** An engine gives wrong results on this machine, which therefore may not compute for others. */
export class UnsoundEngineError extends FtleError {
  override readonly name = "UnsoundEngineError";
}

/**
 * Compares an engine with exact results (science A9), in well under a second.
 * @throws UnsoundEngineError that lists every wrong result.
 */
export function refuseUnsound(engine: Engine): void {
  const faults = exactChecks
    .map((check) => ({ name: check.name, ...check.run(engine) }))
    .filter(({ ok }) => !ok)
    .map(
      ({ name, measured, expected, tolerance }) =>
        `${name}: expected ${expected} ± ${tolerance}, found ${measured}`,
    );
  if (faults.length === 0) return;
  throw new UnsoundEngineError(
    `this machine's engine ${engine.id} gives wrong results and may not compute for others; ftle doctor says more. ${faults.join("; ")}`,
  );
}
