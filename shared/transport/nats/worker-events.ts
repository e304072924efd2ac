/** What a worker may want to count. */
export type WorkerTransportEvent =
  | { readonly kind: "extended"; readonly task: string }
  /** A result is about to be handed in. */
  | { readonly kind: "result"; readonly bytes: number }
  /** A result was refused because another had come first. */
  | { readonly kind: "late"; readonly task: string }
  /** A message that is not one of ours was made a dead letter. */
  | { readonly kind: "foreign"; readonly subject: string; readonly reason: string }
  | { readonly kind: "blob"; readonly cached: boolean };
