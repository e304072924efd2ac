/** What results cost besides their tasks' arithmetic: starts from stated times, and learns while a sweep runs. */

/** What there is to hand out and to store. */
export interface Counts {
  readonly trainings: number;
  readonly tiles: number;
  readonly analyses: number;
  /** Grid points in these tiles. */
  readonly points: number;
}

export interface Overhead {
  /** Estimated seconds for handing out these tasks and storing their results, however many threads compute. */
  seconds(counts: Counts): number;
  /** Notes results that were stored, and for how long threads computed them. */
  finished(counts: Counts, threadSeconds: number): void;
  /** Learns from the time since the run began; `threads`: how many could take tasks since the last call. */
  passed(elapsedSeconds: number, threads: number): void;
}

/**
 * Seconds for each training, each tile and each grid point, in process: messages, checks, files, statistics.
 * Measured with `npm run bench:estimates` on two cores of an AMD EPYC and a disk with fsyncs of 0.3 ms, 28 November.
 */
const STATED = { training: 0.0012, tile: 0.003, point: 8e-8 };

/** So many stated seconds weigh as much as what a run shows. */
const PRIOR_SECONDS = 0.2;
/** What a run showed counts half after so long: disks and networks change. */
const HALF_LIFE_SECONDS = 60;
/** Too few tasks say little. */
const LEAST_TASKS = 10;
/** Fewer tasks in so long: threads were idle because no task was there, or they computed long ones. */
const LONGEST_STRETCH_SECONDS = 30;

/**
 * A heuristic. While tasks come and go, the part of the threads' time in which none computes is what results cost.
 * It corrects the stated times by one factor.
 */
export function overheadEstimate(stated = STATED): Overhead {
  const statedSeconds = ({ trainings, tiles, analyses, points }: Counts) =>
    trainings * stated.training + (tiles + analyses) * stated.tile + points * stated.point;
  /** Decaying sums over the stretches of time that counted. */
  let seen = { spent: 0, stated: 0 };
  let stretch = stretchFrom(0);
  return {
    seconds(counts) {
      const factor = (PRIOR_SECONDS + seen.spent) / (PRIOR_SECONDS + seen.stated);
      return factor * statedSeconds(counts);
    },
    finished(counts, threadSeconds) {
      stretch.tasks += counts.trainings + counts.tiles + counts.analyses;
      stretch.stated += statedSeconds(counts);
      stretch.used += threadSeconds;
    },
    passed(elapsedSeconds, threads) {
      const now = Math.max(elapsedSeconds, stretch.until);
      stretch.capacity += (now - stretch.until) * threads;
      stretch.until = now;
      const seconds = now - stretch.from;
      if (stretch.tasks >= Math.max(threads, LEAST_TASKS) && stretch.capacity > 0) {
        const kept = 2 ** (-seconds / HALF_LIFE_SECONDS);
        const idle = Math.max(0, 1 - stretch.used / stretch.capacity);
        seen = {
          spent: kept * seen.spent + idle * seconds,
          stated: kept * seen.stated + stretch.stated,
        };
      } else if (seconds < LONGEST_STRETCH_SECONDS) return;
      stretch = stretchFrom(now);
    },
  };
}

/** Times are seconds since the run began. */
function stretchFrom(from: number) {
  return {
    from,
    until: from,
    tasks: 0,
    /** Stated seconds of the results. */
    stated: 0,
    /** Seconds for which threads computed them. */
    used: 0,
    /** Seconds for which there were threads. */
    capacity: 0,
  };
}
