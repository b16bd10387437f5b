/** A law of the market was broken: a fault of the program, never of the scenario. The run stops. */
export class InvariantError extends Error {
  /** Name of the law, as in the report's `checks`. */
  readonly law: string;
  /** The job's id, or "" where the law is not about one job. */
  readonly job: string;
  readonly seed: number | string;

  constructor(law: string, job: string, seed: number | string, detail: string) {
    super(`The law of ${law} is broken${job === "" ? "" : ` by job ${job}`}: ${detail} (seed ${seed})`);
    this.name = "InvariantError";
    this.law = law;
    this.job = job;
    this.seed = seed;
  }
}

/** Names of the laws that are checked in every run, by the recorder or by the world. */
export const LAWS = {
  jobs: "conservation of jobs",
  terminal: "one terminal state",
  causality: "causality",
  metering: "metering",
  eligibility: "eligibility",
  capacity: "capacity",
  work: "work conservation",
  little: "Little's law",
  money: "conservation of money",
  settlement: "settlement accounts",
  welfare: "welfare accounts",
  profit: "profit accounts",
} as const;
