/** Reads the networks that a sweep imports. */
import { readFile, stat } from "node:fs/promises";
import { UsageError } from "../../shared/errors.ts";
import { digestOf } from "../../shared/identity.ts";
import type { Activation } from "../../shared/numerics/network.ts";
import { encodeWeights } from "../../shared/safetensors.ts";
import { type DataPlaces, findFile } from "../data/find-data.ts";
import { DataError, type DataFault } from "../data/table.ts";
import { WEIGHTS } from "./parameters.ts";
import type { ImportedNetwork, Sweep } from "./sweep.ts";

export interface ImportedNetworks {
  /** By the value of the axis; undefined if the sweep has none. */
  readonly networks: Sweep["networks"];
  /** By digest. */
  readonly weights: ReadonlyMap<string, Uint8Array>;
}

/**
 * Of the files that are named on the axis. Their identity is that of the weights, whatever the file's format and name.
 * @throws UsageError if a file is not there; DataError with all that is wrong with those that are.
 */
export async function importNetworks(sweep: Sweep, places: DataPlaces): Promise<ImportedNetworks> {
  const axis = sweep.axes.parameters?.find(({ path }) => path === WEIGHTS);
  const weights = new Map<string, Uint8Array>();
  if (axis === undefined) return { networks: undefined, weights };
  const { readNetwork } = await import("../networks/read-network.ts"); // loads protobuf
  const given = (sweep.given?.network ?? {}) as { [K in Activations]?: Activation };
  const { activation, outputActivation } = given;
  const networks: Record<string, ImportedNetwork> = {};
  const faults: DataFault[] = [];
  for (const file of axis.values.map(String)) {
    const path = findFile(file, places);
    try {
      const bytes = await readBytes(path);
      const read = readNetwork(bytes, { file: path, activation, outputActivation });
      const encoded = encodeWeights(read.weights, {});
      const digest = digestOf(encoded);
      networks[file] = { shape: read.network, digest, bytes: encoded.length };
      weights.set(digest, encoded);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      faults.push(...error.faults.map((fault) => ({ ...fault, place: placed(path, fault.place) })));
    }
  }
  if (faults.length > 0) throw new DataError("imported networks", faults);
  return { networks, weights };
}

type Activations = "activation" | "outputActivation";

function placed(path: string, place: string): string {
  return place === "" ? path : `${path}, ${place}`;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).isFile()) return await readFile(path);
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${(error as Error).message}`);
  }
  throw new DataError(path, [{ place: "", expected: "a file", found: "a folder, pipe or device" }]);
}
