export interface CheckpointSaver {
  /** Saves these bytes, unless newer ones are added before their turn comes. */
  add(bytes: Uint8Array): void;
  /** Resolves when nothing is being saved or waits to be. */
  settled(): Promise<void>;
}

/**
 * Saves checkpoints one at a time; of those that wait, only the latest. One that cannot be saved is skipped: the
 * cost is some work that may have to be done again.
 */
export function checkpointSaver(save: (bytes: Uint8Array) => Promise<void>): CheckpointSaver {
  let next: Uint8Array | null = null;
  let saving: Promise<void> | null = null;
  async function saveAll(): Promise<void> {
    while (next !== null) {
      const bytes = next;
      next = null;
      await save(bytes).catch(() => {}); // the next one may be saved
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
