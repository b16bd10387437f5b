/**
 * GI/M/1 with gamma-distributed gaps: the probability sigma that an arrival finds the server busy, the root in (0, 1)
 * of sigma = A(mu (1 - sigma)), A being the gaps' Laplace transform (1 + s / (k lambda))^-k with k = 1 / CV². Jobs wait
 * sigma / (1 - sigma) mean service times. D. G. Kendall, Annals of Mathematical Statistics 24, 1953; Gross et al.,
 * Fundamentals of Queueing Theory, 4th ed., 2008, section 5.3.
 * @param cv coefficient of variation of the gaps; for an Erlang distribution of k stages, 1 / sqrt(k).
 * @throws RangeError for a load of 1 or more.
 */
export function gammaArrivalsFindBusy(rate: number, serviceMean: number, cv: number): number {
  const load = rate * serviceMean;
  if (!(load < 1)) throw new RangeError(`gammaArrivalsFindBusy: the load must be below 1; found ${load}.`);
  const shape = 1 / (cv * cv);
  let sigma = 0;
  // From below the map climbs to the smallest root, which is the one below 1.
  for (let step = 0; step < 100_000; step++) {
    const next = Math.exp(-shape * Math.log1p((1 - sigma) / (load * shape)));
    if (next - sigma < 1e-15) return next;
    sigma = next;
  }
  return sigma;
}
