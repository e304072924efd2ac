import type { TaskResult } from "../../messages.ts";
import { encodeJson, sealed } from "./envelope.ts";
import { KIND_HEADER, subjects } from "./names.ts";
import { messageRoom } from "./parts.ts";
import { encodeResult } from "./result-codec.ts";
import { storeOnce } from "./store-once.ts";
import type { WorkerState } from "./worker-state.ts";

/**
 * Stores a task's result, unless another came first. A result too large for a message travels as a blob, and the
 * message then holds its digest.
 */
export async function handInResult(
  state: WorkerState,
  task: { readonly id: string; readonly sweep: string },
  result: TaskResult,
): Promise<"stored" | "exists"> {
  const { broker, blobs, signal } = state;
  const bytes = encodeResult(result);
  state.onEvent({ kind: "result", bytes: bytes.length });
  let message = { payload: bytes, headers: sealed(bytes) };
  if (bytes.length > messageRoom(broker)) {
    const payload = encodeJson({ blob: await blobs.put(task.sweep, bytes) });
    message = { payload, headers: sealed(payload, { [KIND_HEADER]: "blob" }) };
  }
  const subject = subjects.result(task.sweep, task.id);
  const outcome = await storeOnce(broker, { subject, ...message }, { signal });
  if (outcome === "exists") state.onEvent({ kind: "late", task: task.id });
  return outcome;
}
