/** Jobs among which the planner chooses, column by column. */
export interface PlannedJobs {
  readonly count: number;
  /** What each is worth to its client when served at once, whole msat. */
  readonly valueMsat: Float64Array;
  /** Node time that each needs, in units of the reference node; above 0. */
  readonly size: Float64Array;
  /** Which list of {@link PlannedSupply.eligible} is the job's. */
  readonly segment: Uint16Array;
}

/** Groups of like nodes, and what they can do. */
export interface PlannedSupply {
  /** Node time by group, in the units of the jobs' sizes. Used up by the planner. */
  readonly capacity: Float64Array;
  /** Groups that may serve a segment's jobs, the cheapest per unit of size first. */
  readonly eligible: readonly Int32Array[];
  /** What the job costs at a node of the group, whole msat. */
  costMsat(group: number, job: number): number;
  /** Whether costs differ between these two groups; where all are alike, the order of serving changes nothing. */
  sameCost(a: number, b: number): boolean;
}

/** Jobs at most in one call: their numbers are packed into the low bits of the keys they are sorted by. */
export const PLANNED_JOBS_MAX = 2 ** 24;
const INDEX_BITS = PLANNED_JOBS_MAX - 1;

let keys = new Float64Array(1024);

/**
 * The planner's choice, who knows all values and costs: jobs in the order of their value per unit of node time are given
 * to the cheapest nodes that have time left, until the next job is worth less than it costs. Jobs and nodes are divisible:
 * the last job that finds room may be served in part, and one may be split between nodes.
 *
 * With one segment, and costs proportional to size at each node, that is where the demand curve meets the supply curve, and
 * the optimum of the linear programme: the transportation problem of jobs' values against nodes' costs and capacities, whose
 * optimal plan is the sorted one. It is then at least what any plan of whole jobs can reach, and exceeds the best of those by
 * less than one job's surplus. Where segments share nodes, or one node's cost advantage varies from job to job, it is a plan
 * that can be carried out, but not always the best.
 *
 * Determinism: equal values go by the job's number.
 * @param plannedMsat takes each job's surplus in the plan, whole msat; 0 where it is not served.
 * @throws RangeError where there are more than {@link PLANNED_JOBS_MAX} jobs.
 */
export function plan(jobs: PlannedJobs, supply: PlannedSupply, plannedMsat: Float64Array): void {
  if (jobs.count > PLANNED_JOBS_MAX) throw new RangeError(`a plan takes at most ${PLANNED_JOBS_MAX} jobs, found ${jobs.count}`);
  if (planAlike(jobs, supply, plannedMsat)) return;
  const { count, size } = jobs;
  const order = byValuePerSize(jobs);
  const next = new Int32Array(supply.eligible.length);
  for (let place = count - 1; place >= 0; place--) {
    const job = order(place);
    const segment = jobs.segment[job]!;
    const groups = supply.eligible[segment]!;
    let left = size[job]!;
    let surplus = 0;
    while (left > 0 && next[segment]! < groups.length) {
      const group = groups[next[segment]!]!;
      const room = supply.capacity[group]!;
      if (!(room > 0)) {
        next[segment]!++;
        continue;
      }
      const gain = jobs.valueMsat[job]! - supply.costMsat(group, job);
      if (gain <= 0) break;
      const part = Math.min(left, room);
      surplus += part === size[job]! ? gain : (gain * part) / size[job]!;
      supply.capacity[group] = room - part;
      left -= part;
    }
    plannedMsat[job] = Math.floor(surplus);
  }
}

/** The common case, settled in one pass: one segment, and the nodes with the lowest cost have time for every job. */
function planAlike({ count, valueMsat, size }: PlannedJobs, supply: PlannedSupply, plannedMsat: Float64Array): boolean {
  const groups = supply.eligible[0];
  if (supply.eligible.length !== 1 || groups === undefined || groups.length === 0) return false;
  let room = 0;
  for (const group of groups) {
    if (!supply.sameCost(group, groups[0]!)) break;
    room += supply.capacity[group]!;
  }
  let needed = 0;
  for (let job = 0; job < count; job++) {
    const gain = valueMsat[job]! - supply.costMsat(groups[0]!, job);
    plannedMsat[job] = gain > 0 ? gain : 0;
    if (gain > 0) needed += size[job]!;
  }
  return needed <= room;
}

/** Jobs by value per unit of size, the least first: a function from place to job. */
function byValuePerSize({ count, valueMsat, size }: PlannedJobs): (place: number) => number {
  if (keys.length < count) keys = new Float64Array(Math.max(count, keys.length * 2));
  const words = new Uint32Array(keys.buffer);
  for (let job = 0; job < count; job++) {
    keys[job] = valueMsat[job]! / size[job]!;
    // The low 24 of 52 bits of the fraction make room for the job's number: values a 10^-8 apart count as equal.
    words[2 * job] = ((words[2 * job]! & ~INDEX_BITS) | (INDEX_BITS - job)) >>> 0;
  }
  // Numbers sort natively; the value's own order is that of its bits, since it is not negative.
  keys.subarray(0, count).sort();
  return (place) => INDEX_BITS - (words[2 * place]! & INDEX_BITS);
}
