import { normalQuantile } from "./normal-quantile.ts";
import { multiplyHigh, philox4x32, type RandomKey } from "./philox.ts";

/** What random numbers are drawn for; streams of different purposes never share a number. */
export const randomPurposes = { weights: 0, thresholds: 1, order: 2, data: 3 } as const;

export type RandomPurpose = keyof typeof randomPurposes;

/** One sequence of random numbers; every draw advances it. */
export interface RandomStream {
  /** Uniform in (0, 1): an odd multiple of 2⁻⁵³, so neither end occurs, and p and 1 − p are equally likely. */
  uniform(): number;
  /** Standard normal, by inversion: one uniform each. */
  normal(): number;
  /** Uniform integer in 0 … n − 1, without bias, for an integer 1 ≤ n < 2³². */
  below(n: number): number;
}

/**
 * The random numbers of one key, purpose and part (a layer, an epoch; uint32).
 *
 * They are a pure function of the three: counter words (block number low and high, part, purpose)
 * through Philox4x32-10. Streams do not overlap.
 */
export function randomStream(key: RandomKey, purpose: RandomPurpose, part: number): RandomStream {
  const block = new Uint32Array(4);
  let blocks = 0;
  let used = 4;

  function word(): number {
    if (used === 4) {
      block[0] = blocks;
      block[1] = Math.floor(blocks / 2 ** 32);
      block[2] = part;
      block[3] = randomPurposes[purpose];
      philox4x32(block, key);
      blocks++;
      used = 0;
    }
    return block[used++]!;
  }

  function uniform(): number {
    const high = word() >>> 6;
    const low = word() >>> 6;
    return (high * 2 ** 26 + low + 0.5) * 2 ** -52;
  }

  return {
    uniform,
    normal: () => normalQuantile(uniform()),
    // D. Lemire, "Fast random integer generation in an interval", ACM TOMACS 29, 3 (2019).
    below(n) {
      let random = word();
      if (Math.imul(random, n) >>> 0 < n) {
        const rejected = 2 ** 32 % n;
        while (Math.imul(random, n) >>> 0 < rejected) random = word();
      }
      return multiplyHigh(random, n);
    },
  };
}
