import { labIdentity } from "../identity.ts";

const prefix = "infernet-lab";

/** Names in Redis. */
export const names = {
  prefix,
  /** Jobs of one lab: workers of another one do not see them. */
  queue: (): string => `runs-${labIdentity().version}-${labIdentity().code}`,
  /** A file's bytes, by their hash. */
  blob: (sha256: string): string => `${prefix}:file:${sha256}`,
  subject: (sha256: string): string => `${prefix}:subject:${sha256}`,
  /** There as long as its producer is. */
  session: (id: string): string => `${prefix}:session:${id}`,
  /** There as long as the worker is. */
  worker: (id: string): string => `${prefix}:worker:${id}`,
};

/** How long what producers and workers leave in Redis outlives them. */
export const lifetimes = {
  /** Their own sign of life, s. */
  aliveS: 10,
  /** How often it is renewed, ms. */
  renewMs: 2_000,
  /** Files and scenarios, s. */
  filesS: 86_400,
  /** Results that nobody has fetched, s. */
  resultsS: 3_600,
};
