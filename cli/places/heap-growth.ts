import { setFlagsFromString } from "node:v8";

/**
 * Has the garbage collector run when the heap has doubled since it last did. V8 lets a heap of 100 MB grow almost
 * threefold: a coordinator of 10⁵ tasks then takes half as much memory again, for garbage.
 */
export function limitHeapGrowth(): void {
  setFlagsFromString("--heap-growing-percent=100");
}
