import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import { digestOf } from "../identity.ts";
import type { DeadLetter, Task } from "../messages.ts";
import { parseResult, parseTask } from "../messages.ts";
import type {
  Lease,
  LeasePolicy,
  Outcome,
  RunningTask,
  Transport,
  WorkerProfile,
} from "./transport.ts";
import { leasePolicy } from "./transport.ts";

interface LocalTransportOptions {
  readonly policy?: LeasePolicy;
  readonly clock?: Clock;
}

/** A task without an outcome: leased, or else in the queue or in back-off on its way there. */
interface Entry {
  readonly task: Task;
  deliveries: number;
  checkpoint: Uint8Array | null;
  lease: { worker: string; progress: number; since: number; end(): void } | null;
  /** Calls off the back-off's timer. */
  stopBackoff(): void;
}

type PendingOutcome = DistributiveOmit<Outcome, "ack">;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Tasks and results within one process: what `ftle run` uses on one machine. */
export function localTransport(options: LocalTransportOptions = {}): Transport {
  const { policy = leasePolicy, clock = systemClock } = options;
  const open = new Map<string, Entry>();
  const settled = new Map<string, Set<string>>(); // sweep → ids of tasks with an outcome
  const queue: Entry[] = [];
  const outcomes = new Map<string, PendingOutcome[]>();
  const blobs = new Map<string, Map<string, Uint8Array>>(); // sweep → digest → bytes
  const profiles = new Map<string, WorkerProfile & { since: number }>();
  const served = new Map<string, number>(); // sweep → when its turn was last
  let turns = 0;
  let isStopped = false;
  const tasksCame = notice();
  const outcomesCame = notice();

  const isOpen = (entry: Entry) => open.get(entry.task.id) === entry;

  function enqueue(entry: Entry): void {
    queue.push(entry);
    tasksCame.give();
  }

  /** Takes a task out of everything that could deliver it. */
  function forget(entry: Entry): void {
    open.delete(entry.task.id);
    entry.stopBackoff();
    entry.lease?.end();
    const place = queue.indexOf(entry);
    if (place >= 0) queue.splice(place, 1);
  }

  function settle(entry: Entry, outcome: PendingOutcome): void {
    const { id, sweep } = entry.task;
    forget(entry);
    settled.set(sweep, (settled.get(sweep) ?? new Set()).add(id));
    outcomes.set(sweep, [...(outcomes.get(sweep) ?? []), outcome]);
    outcomesCame.give();
  }

  function deadLetter(entry: Entry, reason: DeadLetter["reason"], worker: string): void {
    const { id, sweep, cell, kind } = entry.task;
    const attempts = entry.deliveries;
    settle(entry, {
      kind: "dead",
      letter: { task: id, sweep, cell, kind, reason, worker, attempts },
    });
  }

  /** Back to the queue, or to the dead letters when it was delivered often enough. */
  function retry(entry: Entry, reason: DeadLetter["reason"], worker: string): void {
    entry.lease?.end();
    if (entry.deliveries >= policy.maxDeliveries) {
      deadLetter(entry, reason, worker);
      return;
    }
    entry.stopBackoff = clock.after(policy.backoffMs(entry.deliveries), () => enqueue(entry));
  }

  function grant(entry: Entry, worker: string): Lease {
    entry.deliveries++;
    const attempt = entry.deliveries;
    const ended = new AbortController();
    let stopTimer = () => {};
    const lease = {
      worker,
      progress: 0,
      since: clock.now(),
      end() {
        stopTimer();
        entry.lease = null;
        ended.abort(new Error(`lease of ${entry.task.id} has ended`));
      },
    };
    entry.lease = lease;
    const isHeld = () => entry.lease === lease;
    const startTimer = () => {
      stopTimer();
      stopTimer = clock.after(policy.leaseMs, () => {
        const message = `worker ${worker} was silent for ${policy.leaseMs / 1000} s`;
        retry(entry, { name: "LeaseExpired", message }, worker);
      });
    };
    startTimer();
    return {
      task: entry.task,
      attempt,
      signal: ended.signal,
      checkpoint: async () => entry.checkpoint,
      async saveCheckpoint(bytes) {
        if (isHeld()) entry.checkpoint = bytes;
      },
      async extend(progress) {
        if (!isHeld()) return;
        lease.progress = progress;
        startTimer();
      },
      async complete(result) {
        if (!isOpen(entry)) return "exists";
        settle(entry, { kind: "result", result: parseResult(result) });
        return "stored";
      },
      async fail(reason) {
        if (isHeld()) retry(entry, reason, worker);
      },
      async giveBack() {
        if (!isHeld()) return;
        lease.end();
        entry.deliveries--;
        enqueue(entry);
      },
      async reject(reason) {
        if (isHeld()) deadLetter(entry, reason, worker);
      },
    };
  }

  /** Takes a waiting task of an engine out of the queue: the first of the sweep served longest ago. */
  function takeNext(engine: string): Entry | undefined {
    const servedAt = ({ task }: Entry) => served.get(task.sweep) ?? 0;
    const [next] = queue
      .filter(({ task }) => task.engine === engine)
      .sort((a, b) => servedAt(a) - servedAt(b));
    if (next === undefined) return undefined;
    served.set(next.task.sweep, ++turns);
    queue.splice(queue.indexOf(next), 1);
    return next;
  }

  return {
    async publish(message) {
      const task = parseTask(message);
      if (open.has(task.id) || settled.get(task.sweep)?.has(task.id)) return;
      const entry: Entry = {
        task,
        deliveries: 0,
        checkpoint: null,
        lease: null,
        stopBackoff() {},
      };
      open.set(task.id, entry);
      enqueue(entry);
    },

    async *outcomes(sweep, { signal }) {
      const unacknowledged = new Set<PendingOutcome>();
      try {
        for (;;) {
          const outcome = outcomes.get(sweep)?.shift();
          if (outcome === undefined) {
            if (signal.aborted || isStopped) break;
            await outcomesCame.wait(signal).catch(() => {}); // seen in the next round
            continue;
          }
          unacknowledged.add(outcome);
          yield {
            ...outcome,
            async ack() {
              unacknowledged.delete(outcome);
            },
          };
        }
      } finally {
        outcomes.set(sweep, [...unacknowledged, ...(outcomes.get(sweep) ?? [])]);
      }
    },

    async cancel(sweep) {
      for (const entry of [...open.values()]) if (entry.task.sweep === sweep) forget(entry);
      settled.delete(sweep);
      outcomes.delete(sweep);
      blobs.delete(sweep);
      served.delete(sweep);
    },

    async forget({ id, sweep }) {
      const entry = open.get(id);
      if (entry !== undefined) forget(entry);
      settled.get(sweep)?.delete(id);
      const isOther = (outcome: PendingOutcome) => taskOf(outcome) !== id;
      outcomes.set(sweep, (outcomes.get(sweep) ?? []).filter(isOther));
    },

    async depth(sweep) {
      const entries = [...open.values()].filter(({ task }) => task.sweep === sweep);
      const inFlight = entries.filter(({ lease }) => lease !== null).length;
      return { waiting: entries.length - inFlight, inFlight };
    },

    async running(sweep) {
      const running: RunningTask[] = [];
      for (const { task, lease, deliveries } of open.values()) {
        if (task.sweep !== sweep || lease === null) continue;
        const { worker, progress, since } = lease;
        running.push({ task, worker, attempt: deliveries, progress, since });
      }
      return running.sort((a, b) => a.since - b.since);
    },

    async lease({ worker, engine, signal }) {
      for (;;) {
        signal.throwIfAborted();
        if (isStopped) throw new Error("the transport has stopped");
        const entry = takeNext(engine);
        if (entry !== undefined) return grant(entry, worker);
        await tasksCame.wait(signal);
      }
    },

    async announce(profile) {
      profiles.set(profile.name, { ...profile, since: clock.now() });
    },

    async workers() {
      const leased = [...open.values()].flatMap(({ task, deliveries, lease }) =>
        lease === null ? [] : [{ task, deliveries, lease }],
      );
      return [...profiles.values()].map((profile) => {
        const running = leased
          .filter(({ lease }) => lease.worker === profile.name)
          .map(({ task: { id, sweep }, deliveries: attempt, lease: { progress, since } }) => {
            return { id, sweep, attempt, progress, since };
          });
        return { ...profile, seen: clock.now(), running };
      });
    },

    async putBlob(sweep, bytes) {
      const digest = digestOf(bytes);
      blobs.set(sweep, (blobs.get(sweep) ?? new Map()).set(digest, bytes));
      return digest;
    },

    async getBlob(sweep, digest) {
      const bytes = blobs.get(sweep)?.get(digest);
      if (bytes === undefined) throw new Error(`no blob ${digest}`);
      return bytes;
    },

    async dropBlob(sweep, digest) {
      blobs.get(sweep)?.delete(digest);
    },

    async stop() {
      isStopped = true;
      tasksCame.give();
      outcomesCame.give();
      for (const entry of [...open.values()]) forget(entry);
    },
  };
}

function taskOf(outcome: PendingOutcome): string {
  return outcome.kind === "dead" ? outcome.letter.task : outcome.result.task;
}

/** Wakes all who wait, once. */
function notice(): { give(): void; wait(signal: AbortSignal): Promise<void> } {
  let waiters = new Set<() => void>();
  return {
    give() {
      const woken = waiters;
      waiters = new Set();
      for (const wake of woken) wake();
    },
    wait(signal) {
      return new Promise((resolve, reject) => {
        const wake = () => {
          signal.removeEventListener("abort", abort);
          resolve();
        };
        const abort = () => {
          waiters.delete(wake);
          reject(signal.reason);
        };
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        signal.addEventListener("abort", abort, { once: true });
        waiters.add(wake);
      });
    },
  };
}
