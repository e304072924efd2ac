/** What one worker leaves to the next about a task: how often it was given back, and its checkpoint. */
import { z } from "zod";
import { digestOf } from "../../identity.ts";
import type { Task } from "../../messages.ts";
import type { Broker } from "./connect.ts";
import { decodeJson, encodeJson, ForeignMessageError, sealed, unsealed } from "./envelope.ts";
import { STREAMS, subjects } from "./names.ts";
import { getParts, putParts } from "./parts.ts";
import { readLast, storeLatest } from "./store-once.ts";

const noteSchema = z.object({
  /** Deliveries that do not count, because their workers gave the task back. */
  returned: z.int().min(0),
  /** Checkpoints are written to two places in turn, so that one of them is always complete. */
  checkpoint: z.object({ slot: z.int().min(0).max(1), digest: z.string() }).nullable(),
});

type Note = z.infer<typeof noteSchema>;

export interface TaskState {
  returned(): Promise<number>;
  noteReturn(): Promise<void>;
  /** The last one saved; null if there is none, or it is incomplete. */
  checkpoint(): Promise<Uint8Array | null>;
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
}

export function createTaskState(
  broker: Broker,
  { id, sweep }: Pick<Task, "id" | "sweep">,
  signal: AbortSignal,
): TaskState {
  const subject = subjects.state(sweep, id);
  let note: Note | null = null;

  async function read(): Promise<Note> {
    if (note !== null) return note;
    const found = await readLast(broker, { stream: STREAMS.state, subject }, { signal });
    note = found === null ? NOTHING : parseNote(found.payload, found.headers);
    return note;
  }

  async function write(changed: Note): Promise<void> {
    note = changed;
    const payload = encodeJson(changed);
    await storeLatest(broker, { subject, payload, headers: sealed(payload) }, { signal });
  }

  const place = (slot: number) => ({
    stream: STREAMS.state,
    subject: (part: number) => subjects.checkpoint({ sweep, task: id, slot, part }),
  });

  return {
    returned: async () => (await read()).returned,

    async noteReturn() {
      const before = await read();
      await write({ ...before, returned: before.returned + 1 });
    },

    async checkpoint() {
      const { checkpoint } = await read();
      if (checkpoint === null) return null;
      const { slot, digest } = checkpoint;
      return await getParts(broker, { ...place(slot), digest }, { signal });
    },

    async saveCheckpoint(bytes) {
      const before = await read();
      const slot = before.checkpoint?.slot === 0 ? 1 : 0;
      const { subject: at } = place(slot);
      await putParts(broker, bytes, (part, message) =>
        storeLatest(broker, { subject: at(part), ...message }, { signal }),
      );
      // Read again: a return of the task may have been recorded during the upload.
      await write({ ...(await read()), checkpoint: { slot, digest: digestOf(bytes) } });
    },
  };
}

const NOTHING: Note = { returned: 0, checkpoint: null };

/** A note that is not one of ours counts as none: work starts from the beginning. */
function parseNote(payload: Uint8Array, headers: Parameters<typeof unsealed>[1]): Note {
  try {
    return noteSchema.parse(decodeJson(unsealed(payload, headers)));
  } catch (error) {
    if (error instanceof ForeignMessageError || error instanceof z.ZodError) return NOTHING;
    throw error;
  }
}
