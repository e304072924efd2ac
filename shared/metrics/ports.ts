/** Ports at which coordinators and workers serve their metrics by default. */
export const METRICS_PORTS = { coordinator: 9464, worker: 9465 } as const;
