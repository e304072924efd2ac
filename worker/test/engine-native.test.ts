import { loadNative } from "../engines/native.ts";
import { engineContract } from "../testing/engine-contract.ts";

const native = loadNative();
if ("missing" in native) throw new Error(native.missing);
engineContract(native.engine, { stretching: 1e-5, output: 1e-6, gradient: 1e-5 });
