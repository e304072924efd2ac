import assert from "node:assert/strict";
import { digestOf } from "../identity.ts";
import type { TransportContract } from "./transport-harness.ts";

/** How bytes are stored, found and removed by their digest. */
export function blobsContract({ promise, worker }: TransportContract): void {
  promise("blobs are put and got by the digest of their content", async ({ transport }) => {
    const bytes = new Uint8Array([1, 2, 3]);
    const digest = await transport.putBlob("s", bytes);
    assert.equal(digest, digestOf(bytes));
    assert.deepEqual(await transport.getBlob("s", digest, worker), bytes);
    await transport.dropBlob("s", digest);
    await transport.dropBlob("s", digest);
    await assert.rejects(transport.getBlob("s", digest, worker), new RegExp(digest));
  });

  promise("a blob is dropped for one sweep and stays for another", async ({ transport }) => {
    const bytes = new Uint8Array(3_000_000).map((_, i) => i * 7);
    const digest = await transport.putBlob("s", bytes);
    await transport.putBlob("s", bytes);
    await transport.putBlob("another", bytes);
    await transport.dropBlob("s", digest);
    await assert.rejects(transport.getBlob("s", digest, worker), new RegExp(digest));
    assert.deepEqual(await transport.getBlob("another", digest, worker), bytes);
  });
}
