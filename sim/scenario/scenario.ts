import type { FeeTerms, PriceSheet } from "../../protocol/messages.ts";
import type { CircuitBreakerOptions } from "../../scheduler/circuit-breaker.ts";
import type { MeasuredSpeeds } from "../world/catalogue/index.ts";
import type { PricingOptions } from "../../scheduler/pricing/options.ts";
import type { PolicyOptions } from "../../scheduler/selection/policy.ts";
import type { DistributionSpec } from "../kernel/distributions/index.ts";
import type { ProfileSpec } from "../profile/spec.ts";
import type { ExchangeRate, MovingExchange } from "./sections/exchange.ts";
import type { HostSpec, ShareTables } from "./sections/hosts.ts";
import type { ClientSettlementSpec, OperatorSettlementSpec, PaymentSettlementSpec } from "./sections/settlement.ts";
import type { StrategySpec } from "./sections/strategy.ts";
import type { SupplySpec } from "./sections/supply.ts";
import type { WorthSpec } from "./sections/worth.ts";

export type { ExchangeRate, MovingExchange } from "./sections/exchange.ts";
export type { HostSpec, ShareTables } from "./sections/hosts.ts";
export type { ProfileSpec } from "../profile/spec.ts";
export type { CostsSpec, EntrySpec, QuoteSpec, SupplySpec } from "./sections/supply.ts";

/** What "forever" and "unlimited" stand for where a duration is expected: 100 years of 365.25 days, µs. */
export const foreverUs = 3_155_760_000_000_000;
/** What "unlimited" stands for where a number of waiting jobs is expected. */
export const unlimitedJobs = 2 ** 31 - 1;
/** What "unlimited" stands for where a price is expected: one bitcoin, in msat. */
export const unlimitedMsat = 100_000_000_000;

/** A scenario ready to be played: units resolved, defaults filled in, names checked against each other. */
export interface Scenario {
  readonly name: string;
  /** The question that the scenario answers, in one sentence. */
  readonly question: string;
  readonly description: string;
  readonly seed: number;
  /** Simulated time during which jobs arrive, µs. */
  readonly horizonUs: number;
  /** Jobs submitted earlier than this are left out of the statistics, µs; less than the horizon. */
  readonly warmupUs: number;
  /** The warm-up is to be found by pilots; `warmupUs` is 0 until it is. */
  readonly autoWarmup?: true;
  /** Whether jobs under way at the horizon are played to their end (no new ones arrive); otherwise they count as in flight. */
  readonly drain: boolean;
  /** What one unit of fiat money is worth, by currency code; empty where the scenario states no rate. */
  readonly exchangeRates: readonly ExchangeRate[];
  /** How those rates move; null: not at all. */
  readonly exchange: MovingExchange | null;
  readonly network: NetworkSpec;
  readonly router: RouterSpec;
  /** How prices come about. */
  readonly pricing: PricingOptions;
  readonly payment: PaymentSpec;
  /** Machines that several nodes share; absent: each node has its own. Names are unique. */
  readonly hosts?: readonly HostSpec[];
  /** At least one. Names are unique. */
  readonly operators: readonly OperatorSpec[];
  /** At least one. Names are unique. */
  readonly clients: readonly ClientSpec[];
}

export interface NetworkSpec {
  /** One-way delay between different regions that `between` does not list, µs. */
  readonly latencyUs: number;
  /** One-way delay inside a region, µs. */
  readonly sameRegionUs: number;
  /** One-way delays of region pairs, in both directions; each pair once. */
  readonly between: readonly { readonly a: string; readonly b: string; readonly latencyUs: number }[];
  /** Coefficient of variation of the gamma-distributed factor (mean 1) on every delay; 0: none. */
  readonly jitterCv: number;
  /** Time that signing a message occupies its sender, µs. */
  readonly signingUs: number;
  /** Time that verifying a message occupies its receiver, µs. */
  readonly verifyingUs: number;
  /** plain: passed as they are; checked: against the protocol's schemas; signed: real keys, signatures and replay guard. */
  readonly messages: "plain" | "checked" | "signed";
}

export interface RouterSpec {
  /** Routers that share the nodes; clients are dealt to them in turn. At least 1. */
  readonly count: number;
  readonly region: string;
  readonly policy: PolicyOptions;
  /** Interval of the nodes' heartbeats, µs; positive. */
  readonly heartbeatUs: number;
  /** How often nodes are told how their markets stand, µs; 0: never. */
  readonly marketStateUs: number;
  /** A node not heard of for longer than this gets no job, µs. */
  readonly staleAfterUs: number;
  /** Nodes tried for one job; at least 1. */
  readonly attempts: number;
  /** Time a node has to accept a job, µs. */
  readonly acceptTimeoutUs: number;
  /** Time from acceptance to result, per attempt, µs. */
  readonly jobTimeoutUs: number;
  /** Jobs that wait at the router while every node they could go to is full. */
  readonly queue: { readonly limit: number; readonly maxWaitUs: number };
  readonly circuitBreaker: CircuitBreakerOptions;
  readonly fee: FeeTerms;
}

/** Lightning as a wallet model. */
export interface PaymentSpec extends PaymentSettlementSpec {
  /** From sending to settlement, µs. */
  readonly latencyUs: number;
  /** Routing fee of the Lightning network: this plus `feePpm` millionths of the amount; msat. */
  readonly baseFeeMsat: number;
  readonly feePpm: number;
  /** Share of payments that fail, 0 to 1. */
  readonly failureShare: number;
  /** What each client starts with, msat. */
  readonly clientBalanceMsat: number;
  /** How often a client tries a payment; at least 1. */
  readonly attempts: number;
  /** Pause before the second try, µs; doubled before each further one. */
  readonly retryUs: number;
  /** Time from the result after which a node writes off what it was not paid, µs; positive. */
  readonly invoiceExpiryUs: number;
}

export interface OperatorSpec {
  readonly name: string;
  /** Nodes of this class at the start; at least 1 unless others may join. */
  readonly count: number;
  /** A name in the machine catalogue, a machine described in place, or null: only for the service-time engine, or with a profile. */
  readonly machine: string | MachineSpec | null;
  /** The machine, model and engine as somebody has measured them, which then decide the speed; absent: as the catalogue predicts. */
  readonly profile?: ProfileSpec;
  /** At least one; names in the model catalogue, except with the service-time engine or a profile, where any name goes. */
  readonly models: readonly string[];
  readonly engine: EngineSpec;
  /** Name of the host that its nodes share; absent: each has a machine of its own. */
  readonly host?: string;
  /** What its engines keep of their speed there; absent: what the host says. */
  readonly hostShares?: ShareTables;
  /** Posted prices; a node's own are these times its factor. */
  readonly prices: PriceSheet;
  /** Coefficient of variation of a node's lognormal price factor (mean 1); 0: all alike. */
  readonly priceSpreadCv: number;
  /** Where the nodes are; shares sum to 1. */
  readonly regions: readonly Share[];
  /** Jobs that may wait at a node beyond those running. */
  readonly queueLimit: number;
  readonly stakeMsat: number;
  readonly attested: boolean;
  readonly churn: ChurnSpec;
  /** Price of electricity, whole msat per kWh: the mean over time, at the scenario's rate; null: not stated. */
  readonly electricityMsatPerKwh: number | null;
  /** Costs, quotes in fiat money, entry and exit; null: no more than a flat price of electricity. */
  readonly supply: SupplySpec | null;
  /** How it sets its prices, and its marginal costs. */
  readonly strategy: StrategySpec;
  /** What it does with what is paid beforehand, and its liquidity. */
  readonly settlement: OperatorSettlementSpec;
}

/** A region and the share of the class that is there, 0 to 1. */
export interface Share {
  readonly region: string;
  readonly share: number;
}

/** A machine that is not in the catalogue. */
export interface MachineSpec {
  readonly name: string;
  /** What decides the efficiency figures; such as "nvidia", "apple", "cpu". */
  readonly family: string;
  readonly memoryBytes: number;
  readonly bandwidthBytesPerS: number;
  /** Dense, at the precision the engine computes in. */
  readonly flopPerS: number;
  /** 0 and 0 where it is not known. */
  readonly idleWatts: number;
  readonly loadWatts: number;
  /** Whether an operating system lives in the same memory; left out: as usual for its family. */
  readonly sharedMemory?: boolean;
  /** Speeds measured with the operator's model and engine, in place of what the figures predict. */
  readonly measured?: MeasuredSpeeds;
}

export type EngineSpec =
  /** llama.cpp's server: `slots` sequences in one batch, each with its own `contextTokens` of KV cache. */
  | { readonly kind: "llama.cpp"; readonly slots: number; readonly contextTokens: number; readonly batchTokens: number }
  /** vLLM: up to `maxSequences` in a step of at most `stepTokens` tokens, paged KV in what the weights leave of `memoryShare`. */
  | { readonly kind: "vllm"; readonly maxSequences: number; readonly stepTokens: number; readonly contextTokens: number; readonly memoryShare: number }
  /** One job after another. */
  | { readonly kind: "sequential"; readonly contextTokens: number }
  /** Queueing theory's server. */
  | ServiceTimeSpec;

export interface ServiceTimeSpec {
  readonly kind: "service-time";
  /** Jobs in service at the same time. */
  readonly slots: number;
  /** Work of a job: its time in service when alone, µs. */
  readonly serviceUs: DistributionSpec;
  /** Order of those waiting for a slot: by arrival, or higher priority first (then by arrival; without preemption). */
  readonly discipline: "fifo" | "priority";
  /**
   * `rates[n - 1]` is the total speed with n jobs in service, shared equally among them; as long as `slots`.
   * 1, 2, 3, ...: independent servers. 1, 1, 1, ...: processor sharing. In between: a batch server.
   */
  readonly rates: readonly number[];
}

/** How nodes leave, fail and slow down. null: never. */
export interface ChurnSpec {
  readonly presence: null | {
    readonly uptimeUs: DistributionSpec;
    readonly downtimeUs: DistributionSpec;
    /** Share of departures without notice: jobs there are lost in silence. The others finish what they hold, taking nothing new. */
    readonly abruptShare: number;
  };
  /** Share of jobs that fail while being served, 0 to 1. */
  readonly failureShare: number;
  readonly slowdown: null | {
    /** From the end of one slow-down to the beginning of the next. */
    readonly everyUs: DistributionSpec;
    readonly lastsUs: DistributionSpec;
    /** Speed during a slow-down, relative to the ordinary; above 0, at most 1. */
    readonly factor: number;
  };
}

export interface ClientSpec {
  readonly name: string;
  /** Client participants of this class, among which its jobs are dealt in turn; at least 1. */
  readonly count: number;
  readonly regions: readonly Share[];
  readonly model: string;
  /** Of the whole class. */
  readonly arrivals: ArrivalsSpec;
  /** Prompt length in tokens; "trace": as in the trace. */
  readonly inputTokens: DistributionSpec | "trace";
  /** True output length in tokens, unknown to all participants; "trace": as in the trace. */
  readonly outputTokens: DistributionSpec | "trace";
  /** Output is cut there; at least 1. */
  readonly maxOutputTokens: number;
  /** The most the client pays for a job, msat; where `worth` says so, a share of each job's value instead. */
  readonly maxPriceMsat: DistributionSpec;
  readonly worth: WorthSpec;
  /** How its jobs are paid, whether they are, and its liquidity. */
  readonly settlement: ClientSettlementSpec;
  readonly latencyGoal: LatencyGoal;
  /** How long the client waits for the result, µs. */
  readonly patienceUs: DistributionSpec;
  /** 0 to 9; higher is served first where a node's queue has priorities. */
  readonly priority: number;
  /** Regions that may serve; null: any. */
  readonly allowedRegions: readonly string[] | null;
  readonly minStakeMsat: number;
  readonly privacy: "any" | "attested";
  readonly verification: "none" | "spot-check" | "redundant";
}

/** As in the protocol's job request; a goal that is absent does not exist. */
export interface LatencyGoal {
  readonly ttftUs?: number;
  readonly tpotUs?: number;
  readonly endToEndUs?: number;
}

export type ArrivalsSpec =
  /** Evenly spaced. */
  | { readonly kind: "regular"; readonly ratePerS: number }
  | { readonly kind: "poisson"; readonly ratePerS: number }
  /** Renewal processes with the given mean rate and CV of the gaps. */
  | { readonly kind: "gamma"; readonly ratePerS: number; readonly cv: number }
  | { readonly kind: "weibull"; readonly ratePerS: number; readonly cv: number }
  /** Markov-modulated Poisson: each state in turn for an exponential time, then the next, then the first again. */
  | { readonly kind: "mmpp"; readonly states: readonly { readonly ratePerS: number; readonly meanUs: number }[] }
  /** Poisson with a rate interpolated between points, constant outside them, repeated every period (null: not). */
  | { readonly kind: "varying"; readonly points: readonly { readonly atUs: number; readonly ratePerS: number }[]; readonly periodUs: number | null }
  /** Each user submits, waits for the job's end, thinks, and submits again. */
  | { readonly kind: "closed"; readonly users: number; readonly thinkTimeUs: DistributionSpec }
  | TraceSpec;

export type TraceFormat = "azure" | "mooncake" | "burstgpt" | "vidur";

export interface TraceSpec {
  readonly kind: "trace";
  /** Path as the process can open it. */
  readonly file: string;
  /** null: told from the file's first line. */
  readonly format: TraceFormat | null;
  /** Gaps between arrivals are multiplied by this; 0.5: twice as fast. Positive. */
  readonly timeScale: number;
  /** Rows used; null: all. */
  readonly limit: number | null;
}
