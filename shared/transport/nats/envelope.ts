/** How every message of ours is packed: its payload, with the payload's digest in a header. */
import type { MsgHdrs } from "@nats-io/transport-node";
import { headers } from "@nats-io/transport-node";
import { digestOf } from "../../identity.ts";
import { DIGEST_HEADER } from "./names.ts";

/** A message that is not one of ours, or was changed in transit. */
export class ForeignMessageError extends Error {
  override readonly name = "ForeignMessageError";
}

export function sealed(payload: Uint8Array, extra: Record<string, string> = {}): MsgHdrs {
  const sealed = headers();
  sealed.set(DIGEST_HEADER, digestOf(payload));
  for (const [name, value] of Object.entries(extra)) sealed.set(name, value);
  return sealed;
}

/** @throws ForeignMessageError unless the payload has the digest in its header. */
export function unsealed(payload: Uint8Array, head: MsgHdrs | undefined): Uint8Array {
  const expected = head?.get(DIGEST_HEADER) ?? "";
  if (expected === "")
    throw new ForeignMessageError(`expected a header ${DIGEST_HEADER}, found none`);
  const found = digestOf(payload);
  if (found === expected) return payload;
  throw new ForeignMessageError(`expected a payload with digest ${expected}, found ${found}`);
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** @throws ForeignMessageError if it is not JSON. */
export function decodeJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString());
  } catch (error) {
    throw new ForeignMessageError(`expected JSON: ${(error as Error).message}`);
  }
}
