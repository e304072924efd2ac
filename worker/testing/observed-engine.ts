import type { Engine } from "../engines/engine.ts";

/** The engine, with `onSlice` called after every call of `train`; `slice` is the number of calls so far. */
export function observedEngine(engine: Engine, onSlice: (slice: number) => void): Engine {
  let slices = 0;
  return {
    ...engine,
    load(...given) {
      const loaded = engine.load(...given);
      return {
        ...loaded,
        train(...pass) {
          const stats = loaded.train(...pass);
          onSlice(++slices);
          return stats;
        },
      };
    },
  };
}
