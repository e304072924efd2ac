import type { WorkerStatus } from "../../shared/transport/transport.ts";

/** Who works at the broker, as heartbeats tell. */
export interface WorkerRoll {
  /**
   * Takes note of the workers that are listed now; `now` in milliseconds, of this machine's clock alone. A list that
   * was seen before (the same array) says nothing new: who reads seldom must not take workers for silent.
   */
  observe(listed: readonly WorkerStatus[], now: number): void;
  /** One entry for each engine that was ever seen. */
  engines(): readonly EngineCrew[];
  /** Workers that fell silent without having said that they end. */
  lost(): number;
}

export interface EngineCrew {
  readonly engine: string;
  readonly alive: number;
  readonly silent: number;
  /** Of those alive. */
  readonly threads: number;
}

/** Four heartbeats. Who ends in an orderly way is not listed any more; who is killed stays listed for a minute. */
const SILENT_MS = 20_000;

export function createWorkerRoll(silentMs = SILENT_MS): WorkerRoll {
  /** By name: its last heartbeat by its own clock, and when we saw that by ours. */
  let known = new Map<string, { readonly beat: number; readonly at: number; isLost: boolean }>();
  const engines = new Map<string, EngineCrew>();
  let lost = 0;
  let last: readonly WorkerStatus[] | null = null;
  return {
    observe(listed, now) {
      if (listed === last) return;
      last = listed;
      for (const engine of engines.keys()) engines.set(engine, nobody(engine));
      const next: typeof known = new Map();
      for (const { name, engine, threads, seen } of listed) {
        const before = known.get(name);
        const entry = before?.beat === seen ? before : { beat: seen, at: now, isLost: false };
        next.set(name, entry);
        const isSilent = now - entry.at >= silentMs;
        if (isSilent && !entry.isLost) {
          entry.isLost = true;
          lost++;
        }
        const crew = engines.get(engine) ?? nobody(engine);
        engines.set(engine, {
          engine,
          alive: crew.alive + (isSilent ? 0 : 1),
          silent: crew.silent + (isSilent ? 1 : 0),
          threads: crew.threads + (isSilent ? 0 : threads),
        });
      }
      known = next;
    },
    engines: () => [...engines.values()],
    lost: () => lost,
  };
}

function nobody(engine: string): EngineCrew {
  return { engine, alive: 0, silent: 0, threads: 0 };
}
