import { manualClock } from "../testing/manual-clock.ts";
import { transportContract } from "../testing/transport-contract.ts";
import { localTransport } from "../transport/local.ts";
import { leasePolicy } from "../transport/transport.ts";

transportContract("local", leasePolicy, async () => {
  const clock = manualClock();
  const transport = localTransport({ clock });
  return {
    transport,
    passTime: async (ms) => clock.advance(ms),
    stop: () => transport.stop(),
  };
});
