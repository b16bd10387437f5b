import type { JobId, JobRequest, PeerId } from "../../protocol/messages.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import type { Fact, TimedDecision } from "./facts.ts";

/** What executes a node's model. */
export type RunnerSpec =
  | { readonly kind: "llama"; readonly file: string; readonly threads: number }
  /** Executes nothing, at fixed speeds. */
  | { readonly kind: "mock"; readonly prefillTokensPerS: number; readonly decodeTokensPerS: number };

/** What all processes of a play are told. */
interface Common {
  readonly scenario: Scenario;
  readonly seed: number;
  /** Zero of all clocks: reading of the machine's monotonic clock, ns. */
  readonly originNs: string;
}

/** What a process of a play is. */
export type Part =
  | Common & { readonly role: "ledger"; readonly credits: readonly (readonly [PeerId, number])[] }
  | Common & { readonly role: "router"; readonly ledgerUrl: string }
  | Common & {
    readonly role: "node"; readonly ledgerUrl: string; readonly routerUrl: string;
    /** Its place among the scenario's nodes. */
    readonly node: number;
    readonly runner: RunnerSpec;
    /** True output lengths, tokens: for its runner alone. */
    readonly lengths: readonly (readonly [JobId, number])[];
  }
  | Common & { readonly role: "clients"; readonly ledgerUrl: string; readonly routerUrl: string };

/** A job to be submitted. */
export interface Submission {
  /** µs from the start. */
  readonly atUs: number;
  /** Index among the scenario's client participants. */
  readonly client: number;
  readonly request: JobRequest;
}

/** From the one who conducts the play. */
export type Order =
  | { readonly order: "begin"; readonly part: Part }
  /** At this time of the clocks the play begins. */
  | { readonly order: "play"; readonly startUs: number }
  /** clients: submit these, at their times from `fromUs` on; `done` follows once all of the process's jobs have ended. */
  | { readonly order: "submit"; readonly fromUs: number; readonly jobs: readonly Submission[] }
  /** Say what you saw, and forget it. */
  | { readonly order: "collect" }
  | { readonly order: "end" };

/** To the one who conducts it. */
export type Word =
  /** Ready to play. `url`: where it listens, of ledgers and routers; `facts`: of nodes. */
  | { readonly word: "ready"; readonly url: string; readonly engine: string }
  /** router: which peers are connected. */
  | { readonly word: "peers"; readonly peers: readonly PeerId[] }
  /** clients: so many jobs have ended of so many; `done` when no more are to come. */
  | { readonly word: "progress"; readonly submitted: number; readonly ended: number; readonly done: boolean }
  | { readonly word: "seen"; readonly facts: readonly Fact[]; readonly decisions: readonly TimedDecision[]; readonly balances: readonly (readonly [string, number])[]; readonly refused: number }
  | { readonly word: "fault"; readonly what: string };
