export interface CheckpointSaver {
  /** Saves these bytes, unless others come before their turn. */
  add(bytes: Uint8Array): void;
  /** Resolves when nothing is being saved or waits for it. */
  settled(): Promise<void>;
}

/**
 * Saves checkpoints one at a time, the latest next. One that cannot be saved is passed over: without it
 * more is done again, and nothing else.
 */
export function checkpointSaver(save: (bytes: Uint8Array) => Promise<void>): CheckpointSaver {
  let next: Uint8Array | null = null;
  let saving: Promise<void> | null = null;
  async function saveAll(): Promise<void> {
    while (next !== null) {
      const bytes = next;
      next = null;
      await save(bytes).catch(() => {}); // the next one may fare better
    }
    saving = null;
  }
  return {
    add(bytes) {
      next = bytes;
      saving ??= saveAll();
    },
    async settled() {
      await saving;
    },
  };
}
