export const KINDS = ["train", "field", "analysis"] as const;
export type Kind = (typeof KINDS)[number];

/** Those whose speed is measured when a worker starts. */
export const MEASURED_KINDS = ["train", "field"] as const;
