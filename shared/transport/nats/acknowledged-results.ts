import type { Broker } from "./connect.ts";
import { STREAMS, subjects } from "./names.ts";
import { purge } from "./store-once.ts";

/** Acknowledged results are removed in batches of this size, or after this time. */
const BATCH = 64;
const BATCH_MS = 250;

export interface AcknowledgedResults {
  /** A result was read. @param seq its sequence number in the stream. */
  read(seq: number): void;
  acknowledge(seq: number): void;
  /** Removes what is acknowledged. */
  finish(): Promise<void>;
}

/** Removes a sweep's results from the broker, in batches: each time all before the first that is not acknowledged. */
export function acknowledgedResults(broker: Broker, sweep: string): AcknowledgedResults {
  const unremoved: number[] = []; // sequence numbers in the order of reading
  const acknowledged = new Set<number>();
  const filter = subjects.result(sweep, ">");
  let removing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const remove = () => {
    clearTimeout(timer);
    timer = undefined;
    let last = 0;
    while (unremoved.length > 0 && acknowledged.delete(unremoved[0]!)) last = unremoved.shift()!;
    if (last === 0) return;
    // Results that stay after a failure are read and acknowledged again.
    removing = removing.then(() =>
      purge(broker, { stream: STREAMS.results, filter, seq: last + 1 }).catch(() => {}),
    );
  };
  return {
    read(seq) {
      unremoved.push(seq);
    },
    acknowledge(seq) {
      acknowledged.add(seq);
      if (acknowledged.size >= BATCH) remove();
      else timer ??= setTimeout(remove, BATCH_MS);
    },
    async finish() {
      remove();
      await removing;
    },
  };
}
