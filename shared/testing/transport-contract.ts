import { test } from "node:test";
import type { LeasePolicy } from "../transport/transport.ts";
import { blobsContract } from "./blobs-contract.ts";
import { deliveryContract } from "./delivery-contract.ts";
import { leasesContract } from "./leases-contract.ts";
import { outcomesContract } from "./outcomes-contract.ts";
import { retryContract } from "./retry-contract.ts";
import { statusContract } from "./status-contract.ts";
import type { Harness, TransportContract } from "./transport-harness.ts";
import { deadline } from "./transport-harness.ts";

/** What every transport promises (`transport.ts`), as tests. */
export function transportContract(
  name: string,
  policy: LeasePolicy,
  start: () => Promise<Harness>,
): void {
  const contract: TransportContract = {
    promise(claim, body) {
      test(`${name} transport: ${claim}`, async () => {
        const harness = await start();
        try {
          await body(harness);
        } finally {
          await harness.stop();
        }
      });
    },
    policy,
    worker: { worker: "w1", engine: "test.1", signal: deadline() },
  };
  deliveryContract(contract);
  leasesContract(contract);
  retryContract(contract);
  outcomesContract(contract);
  statusContract(contract);
  blobsContract(contract);
}
