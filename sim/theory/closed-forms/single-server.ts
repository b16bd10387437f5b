/**
 * Mean wait in the queue of M/G/1: rho / (1 - rho) (1 + CV²) / 2 times the mean service time. F. Pollaczek 1930,
 * A. Khinchine 1932; Gross et al., Fundamentals of Queueing Theory, 4th ed., 2008, section 5.1.
 * @param cv coefficient of variation of the service time.
 */
export function pollaczekKhinchineWait(rate: number, serviceMean: number, cv: number): number {
  const load = rate * serviceMean;
  return ((load / (1 - load)) * (1 + cv * cv) * serviceMean) / 2;
}

/**
 * Mean wait of each class where the queue has priorities without preemption, highest class first. M/G/1 with any
 * service time, the same for all; M/M/c with exponential ones. A. Cobham, Operations Research 2(1), 1954; Gross et al.,
 * 4th ed., 2008, section 3.4.
 * @param rates of arrival, by class, highest first.
 * @param backlog mean wait that a job would have before the first server is free if nobody waited: arrival rate times
 *   half the mean squared service time for M/G/1, C(c, a) E[S] / c for M/M/c.
 */
export function cobhamWaits(rates: readonly number[], serviceMean: number, backlog: number, servers = 1): readonly number[] {
  let above = 0;
  return rates.map((rate) => {
    const own = above + (rate * serviceMean) / servers;
    const wait = backlog / ((1 - above) * (1 - own));
    above = own;
    return wait;
  });
}

/**
 * Mean time in the system of M/G/1 with processor sharing: E[S] / (1 - rho), whatever the distribution. L. Kleinrock,
 * Journal of the ACM 14(2), 1967; M. Sakata, S. Noguchi, J. Oizumi, Operations Research 19(2), 1971.
 */
export function processorSharingSojourn(rate: number, serviceMean: number): number {
  return serviceMean / (1 - rate * serviceMean);
}
