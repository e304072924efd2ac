/** Metrics that store no values: at each scrape their values are read from what they describe. */
import type { Registry } from "prom-client";
import { Counter, Gauge } from "prom-client";

/** One line of a table of metrics. `Numbers` is what its values are read from. */
export interface MirroredMetric<Numbers> {
  readonly type: "gauge" | "counter";
  readonly name: string;
  readonly help: string;
  /** Its label names, without those that all metrics of the table share. */
  readonly labels?: readonly string[];
  /** Its values now. A sample that is not listed is absent from the scrape. */
  readonly samples: (numbers: Numbers) => readonly Sample[];
}

/** One value of a metric, with the labels that distinguish it from the metric's other values. */
export type Sample = readonly [labels: Labels, value: number];

type Labels = Readonly<Record<string, string>>;

/** The sample of a metric without labels of its own; none for null. */
export function single(value: number | null): readonly Sample[] {
  return value === null ? [] : [[{}, value]];
}

export interface MirroredTable<Numbers> {
  readonly metrics: readonly MirroredMetric<Numbers>[];
  /** Label names that every metric of the table has. */
  readonly sharedLabels: readonly string[];
  /** Called for each metric at each scrape. Each source gives values for the shared labels, and its numbers. */
  sources(): Iterable<readonly [shared: Labels, numbers: Numbers]>;
}

/** Registers every metric of a table, in its order. */
export function addMirrored<Numbers>(registry: Registry, table: MirroredTable<Numbers>): void {
  for (const { type, name, help, labels = [], samples } of table.metrics) {
    const Metric: typeof Gauge | typeof Counter = type === "gauge" ? Gauge : Counter;
    new Metric({
      name,
      help,
      labelNames: [...table.sharedLabels, ...labels],
      registers: [registry],
      collect(this: Gauge | Counter) {
        this.reset();
        for (const [shared, numbers] of table.sources()) {
          for (const [own, value] of samples(numbers)) this.inc({ ...shared, ...own }, value);
        }
      },
    });
  }
}
