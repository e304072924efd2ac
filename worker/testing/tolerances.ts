/** How far an engine's arithmetic may be from exact. */
export interface Tolerances {
  /**
   * Relative error of σ_1, and of σ_2 in units of σ_1; times √depth for random rounding. Also how far its
   * rounding is from none, as a relative change of the weights.
   */
  readonly stretching: number;
  /** Absolute error of an output of order one. */
  readonly output: number;
  /** Error of a gradient component relative to the largest of its layer. */
  readonly gradient: number;
}
