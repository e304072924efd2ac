/** Imported by the measured program before its own modules: notes what it cost when it ends. */
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay, PerformanceObserver, performance } from "node:perf_hooks";
import { isMainThread } from "node:worker_threads";

const file = process.env.FTLE_OBSERVED;
delete process.env.FTLE_OBSERVED; // its child processes are not measured
if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let collecting = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collecting += duration;
  });
  observer.observe({ entryTypes: ["gc"] });
  process.on("exit", () => {
    delay.disable();
    const { user, system } = process.cpuUsage();
    const seen = {
      cpu: (user + system) / 1e6,
      rss: process.resourceUsage().maxRSS * 1024,
      // The histogram holds the time between two turns that are due every 5 ms.
      p99: Math.max(0, delay.percentile(99) / 1e6 - 5),
      max: Math.max(0, delay.max / 1e6 - 5),
      gc: collecting / performance.now(),
    };
    writeFileSync(file, JSON.stringify(seen));
  });
}
