/** Default ports of the metrics servers. */
export const METRICS_PORTS = { coordinator: 9464, worker: 9465 } as const;
