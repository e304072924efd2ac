import { localTransport } from "../local-transport.ts";
import { manualClock } from "../testing/manual-clock.ts";
import { transportContract } from "../testing/transport-contract.ts";
import { leasePolicy } from "../transport.ts";

transportContract("local", leasePolicy, async () => {
  const clock = manualClock();
  const transport = localTransport({ clock });
  return {
    transport,
    passTime: async (ms) => clock.advance(ms),
    stop: () => transport.stop(),
  };
});
