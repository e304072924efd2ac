import { digestOf } from "../identity.ts";
import type { LocalState } from "./local-state.ts";

/** @returns the digest under which the sweep finds the bytes again. */
export function putBlob({ blobs }: LocalState, sweep: string, bytes: Uint8Array): string {
  const digest = digestOf(bytes);
  blobs.set(sweep, (blobs.get(sweep) ?? new Map()).set(digest, bytes));
  return digest;
}

/** @throws Error if the sweep has no blob of this digest. */
export function getBlob({ blobs }: LocalState, sweep: string, digest: string): Uint8Array {
  const bytes = blobs.get(sweep)?.get(digest);
  if (bytes === undefined) throw new Error(`no blob ${digest}`);
  return bytes;
}

export function dropBlob({ blobs }: LocalState, sweep: string, digest: string): void {
  blobs.get(sweep)?.delete(digest);
}
