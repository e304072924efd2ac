import type { Engine } from "../engines/engine.ts";

/** The engine, but that `onSlice` is called after every call of `train`, with how-manieth it was, from 1. */
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
