/** Which workers are alive, by their heartbeats: how many each engine has, and how many were lost. */
import type { WorkerStatus } from "../../shared/transport/transport.ts";

export interface WorkerRoll {
  /**
   * Records the workers that are listed now. `now` is in milliseconds of this machine's clock. A list that was
   * already observed (the same array) adds nothing: its workers have not become silent because it is read twice.
   */
  observe(listed: readonly WorkerStatus[], now: number): void;
  /** One entry for each engine that was ever seen. */
  engines(): readonly EngineCrew[];
  /** Workers that became silent without having announced their end. */
  lost(): number;
}

/** The workers of one engine. */
export interface EngineCrew {
  readonly engine: string;
  readonly alive: number;
  readonly silent: number;
  /** Threads of those alive. */
  readonly threads: number;
}

/** Four heartbeats. A worker that ends in order is no longer listed; one that is killed stays listed for a minute. */
const SILENT_MS = 20_000;

export function createWorkerRoll(silentMs = SILENT_MS): WorkerRoll {
  const roll: RollState = { silentMs, known: new Map(), crews: new Map(), lost: 0, last: null };
  return {
    observe(listed, now) {
      if (listed !== roll.last) observe(roll, listed, now);
    },
    engines: () => [...roll.crews.values()],
    lost: () => roll.lost,
  };
}

interface RollState {
  /** A worker whose last heartbeat was first seen so long ago is silent. */
  readonly silentMs: number;
  /** The workers of the last list, by name. */
  known: Map<string, KnownWorker>;
  /** By engine. */
  readonly crews: Map<string, EngineCrew>;
  lost: number;
  /** The list observed last. */
  last: readonly WorkerStatus[] | null;
}

interface KnownWorker {
  /** Its last heartbeat, by its own clock. */
  readonly beat: number;
  /** When we first saw that heartbeat, by our clock. */
  readonly at: number;
  /** Whether it has been counted as lost since that heartbeat. */
  isLost: boolean;
}

function observe(roll: RollState, listed: readonly WorkerStatus[], now: number): void {
  roll.last = listed;
  for (const engine of roll.crews.keys()) roll.crews.set(engine, emptyCrew(engine));
  const known: RollState["known"] = new Map();
  for (const worker of listed) {
    const { name, engine, seen } = worker;
    const before = roll.known.get(name);
    const entry = before?.beat === seen ? before : { beat: seen, at: now, isLost: false };
    known.set(name, entry);
    const isSilent = now - entry.at >= roll.silentMs;
    if (isSilent && !entry.isLost) {
      entry.isLost = true;
      roll.lost++;
    }
    const crew = roll.crews.get(engine) ?? emptyCrew(engine);
    roll.crews.set(engine, withWorker(crew, worker, isSilent));
  }
  roll.known = known;
}

function emptyCrew(engine: string): EngineCrew {
  return { engine, alive: 0, silent: 0, threads: 0 };
}

function withWorker(crew: EngineCrew, { threads }: WorkerStatus, isSilent: boolean): EngineCrew {
  if (isSilent) return { ...crew, silent: crew.silent + 1 };
  return { ...crew, alive: crew.alive + 1, threads: crew.threads + threads };
}
