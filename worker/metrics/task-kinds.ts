export const KINDS = ["train", "field"] as const;
export type Kind = (typeof KINDS)[number];
