/**
 * Erlang's loss formula B(c, a): the share of jobs lost by `servers` servers without a queue (M/G/c/c), whatever the
 * distribution of service times. A. K. Erlang 1917; insensitivity: B. A. Sevastyanov, Theory of Probability and its
 * Applications 2(1), 1957. By the recursion B(c) = a B(c - 1) / (c + a B(c - 1)).
 * @param load offered load: arrival rate times mean service time, in Erlang.
 */
export function erlangB(servers: number, load: number): number {
  let blocked = 1;
  for (let c = 1; c <= servers; c++) blocked = (load * blocked) / (c + load * blocked);
  return blocked;
}

/**
 * Erlang's delay formula C(c, a): the probability that a job has to wait in M/M/c. A. K. Erlang 1917; Gross et al.,
 * Fundamentals of Queueing Theory, 4th ed., 2008, section 2.3.
 * @param load offered load in Erlang, below `servers`.
 */
export function erlangC(servers: number, load: number): number {
  const blocked = erlangB(servers, load);
  return (servers * blocked) / (servers - load * (1 - blocked));
}

/** Mean wait in the queue of M/M/c, in the unit of `serviceMean`; with one server, of M/M/1. */
export function mmcWait(servers: number, rate: number, serviceMean: number): number {
  const load = rate * serviceMean;
  return (erlangC(servers, load) * serviceMean) / (servers - load);
}
