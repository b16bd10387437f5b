import { DELIVERED, MISALLOCATION, UNSERVED_CAUSES } from "./causes.ts";

/** One window's jobs, with the planner's choice beside the market's. */
export interface ComparedJobs {
  readonly count: number;
  /** The market's: value less cost of a delivered job, 0 for others; whole msat. */
  readonly gainMsat: Float64Array;
  /** The planner's; whole msat, 0 where it leaves the job unserved. */
  readonly plannedMsat: Float64Array;
  readonly size: Float64Array;
  /** Cause of loss, or DELIVERED. */
  readonly cause: Uint8Array;
}

/** What one window adds to the accounts. */
export interface Compared {
  /** First-best, whole msat. */
  readonly firstBestMsat: number;
  /** What the market made of it, waiting left out. */
  readonly reachedMsat: number;
  /** Whether the market's own plan was better than the planner's, and counts as first-best. */
  readonly own: boolean;
}

/**
 * Sets the market's outcome of a window beside the planner's, and adds the difference to `losses` by cause: their sum is
 * first-best minus reached, to the msat, and none of them is negative.
 *
 * A job that the planner serves and the market did not is lost by its cause. Where the market served others in its place,
 * the lost surplus was not lost for want of service but for service of the wrong jobs: the same share of every cause, by node
 * time, goes to misallocation, less what those others were worth. There, too, is what a dearer node cost, and what was served
 * although it was worth less than it cost.
 */
export function compare(jobs: ComparedJobs, losses: Float64Array): Compared {
  const { count, gainMsat, plannedMsat, size, cause } = jobs;
  const lost = [0, 0, 0, 0, 0, 0, 0];
  let lostMsat = 0;
  let lostSize = 0;
  let instead = 0;
  let firstBestMsat = 0;
  let reachedMsat = 0;
  for (let job = 0; job < count; job++) {
    const planned = plannedMsat[job]!;
    const code = cause[job]!;
    firstBestMsat += planned;
    if (code === DELIVERED) {
      reachedMsat += gainMsat[job]!;
      if (planned === 0 && gainMsat[job]! > 0) instead += size[job]!;
    } else if (planned > 0) {
      lost[code]! += planned;
      lostMsat += planned;
      lostSize += size[job]!;
    }
  }
  if (reachedMsat >= firstBestMsat) return { firstBestMsat: reachedMsat, reachedMsat, own: reachedMsat > firstBestMsat };
  const missing = firstBestMsat - reachedMsat;
  const kept = lostSize > 0 ? Math.max(0, 1 - instead / lostSize) : 0;
  let attributed = 0;
  // No more than is missing: where the market saved costs that the planner would have had, every cause shrinks alike.
  const scale = lostMsat > 0 ? Math.min(kept, missing / lostMsat) : 0;
  for (let code = 0; code < UNSERVED_CAUSES; code++) {
    const part = Math.min(missing - attributed, Math.floor(lost[code]! * scale));
    losses[code]! += part;
    attributed += part;
  }
  // Where nothing was misallocated, what is left are roundings: they fall to the largest cause.
  const rounding = kept === 1 && scale < 1;
  losses[rounding ? lost.indexOf(Math.max(...lost)) : MISALLOCATION]! += missing - attributed;
  return { firstBestMsat, reachedMsat, own: false };
}
