/** How much an engine's results may differ from exact ones. */
export interface Tolerances {
  /**
   * Error of σ_1 and of σ_2 in units of σ_1, for one layer; it grows with √depth, as random rounding does. Also the
   * relative change of the weights that has the same effect as the engine's rounding.
   */
  readonly stretching: number;
  /** Absolute error of an output of order one. */
  readonly output: number;
  /** Error of a gradient component relative to the largest of its layer. */
  readonly gradient: number;
}
