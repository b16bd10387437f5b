import { z } from "zod";
import { modelName, region } from "../../protocol/messages.ts";
import { oneOf, quantity } from "../../input/fields.ts";
import {
  bandwidth, bytes, compute, duration, durations, exchangeRate, money, patience, patientDuration, positiveDuration, positiveRate, positiveTokens, power, rate, share,
  tokenCounts, tokenPrice,
} from "../../input/quantities.ts";
import { policyFile } from "./sections/custom.ts";
import { experimentShape } from "./sections/experiment.ts";
import { exchange } from "./sections/exchange.ts";
import { hosts, place } from "./sections/hosts.ts";
import { marketState, pricing } from "./sections/pricing.ts";
import { profileFile } from "./sections/profile.ts";
import { clientSettlementFields, feeSettlementFields, operatorSettlementFields, paymentSettlementFields, settlement } from "./sections/settlement.ts";
import { strategyFields } from "./sections/strategy.ts";
import { costs, electricity, entry, quote } from "./sections/supply.ts";
import { worthFields } from "./sections/worth.ts";

export type * from "./scenario.ts";

const regionOrShares = z.union([
  region,
  z.record(region, z.union([z.number().gt(0), z.string().regex(/^\s*[0-9]+(?:\.[0-9]+)?\s*%\s*$/)])),
]);
const className = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/).meta({ title: "letters, digits and hyphens" });
const count = z.int().min(1).max(1_000_000);
const jobs = z.union([z.int().min(0).max(2 ** 31 - 1), z.literal("unlimited")]);
const cv = z.number().min(0).max(100);

const network = z.strictObject({
  latency: duration.default("40ms").describe("One-way delay between different regions that `between` does not list."),
  sameRegion: duration.default("5ms").describe("One-way delay inside a region."),
  between: z.record(z.string().regex(/^[a-z0-9-]{1,32}\/[a-z0-9-]{1,32}$/).meta({ title: "two regions such as eu/us" }), duration).default({}).describe("One-way delays of region pairs, in both directions, such as `eu/us: 45ms`."),
  jitter: cv.default(0).describe("Coefficient of variation of the gamma-distributed factor (mean 1) on every delay; 0: none."),
  signing: duration.default("60us").describe("Time that signing a message occupies its sender."),
  verifying: duration.default("100us").describe("Time that verifying a message occupies its receiver."),
  messages: z.enum(["plain", "checked", "signed"]).default("plain").describe("plain: messages are passed as they are. checked: each against the protocol's schemas. signed: real keys, signatures and replay guard."),
});

const weights = {
  price: z.number().min(0).optional().describe("Weight of a low price relative to the client's maximum (default 1)."),
  latency: z.number().min(0).optional().describe("Weight of a short expected time (default 1)."),
  load: z.number().min(0).optional().describe("Weight of few jobs per slot (default 1)."),
  reliability: z.number().min(0).optional().describe("Weight of dispatches that ended well (default 1)."),
};
const policyNames = ["cheapest", "least-loaded", "weighted-score", "power-of-two", "round-robin", "random", "softmax", "top-n-random"] as const;
const policy = oneOf({
  "weighted-score": z.strictObject(weights).describe("The highest weighted sum of normalised parts."),
  "power-of-two": z.strictObject({ choices: z.int().min(1).max(1000).describe("Nodes drawn at random, of which the least loaded is taken.") }).describe("The least loaded of a few nodes drawn at random."),
  softmax: z.strictObject({ temperature: z.number().gt(0).describe("0.01: nearly always the best; 1: nearly any."), ...weights }).describe("Odds by weighted score."),
  "top-n-random": z.strictObject({ n: z.int().min(1).max(1_000_000).describe("Nodes among which to draw."), ...weights }).describe("One of the n best by weighted score, at random."),
  policy: policyFile({}, "The highest score by a policy of your own, a TypeScript or JavaScript file beside the scenario: `policy: ./my-choice.ts`, or with settings `{file, options}`."),
}, policyNames);

const router = z.strictObject({
  count: z.int().min(1).max(1000).default(1).describe("Routers that share the nodes; clients are dealt to them in turn. A router sees its own dispatches at once, the others' by heartbeat."),
  region: region.default("eu").describe("Where the routers are."),
  policy: policy.default("weighted-score").describe("How a node is picked among those eligible."),
  heartbeat: positiveDuration.default("10s").describe("Interval of the nodes' heartbeats."),
  marketState: marketState.optional().describe("How often the router tells nodes the lowest asks, the going price and the utilisation of their models (default: with every heartbeat where prices move, else never)."),
  staleAfter: positiveDuration.optional().describe("A node not heard of for longer than this gets no job (default: three heartbeats)."),
  attempts: z.int().min(1).max(1000).default(3).describe("Nodes tried for one job."),
  acceptTimeout: positiveDuration.default("2s").describe("Time a node has to accept a job."),
  jobTimeout: z.union([positiveDuration, z.literal("forever")]).default("10min").describe("Time from acceptance to result, per attempt."),
  queue: z.strictObject({
    limit: jobs.default(1000).describe("Jobs that may wait at the router while every node they could go to is full."),
    maxWait: patientDuration.default("30s").describe("How long a job may wait there."),
  }).prefault({}).describe("The router's own queue."),
  circuitBreaker: z.strictObject({
    failures: z.int().min(1).max(2 ** 31 - 1).default(3).describe("Failures in a row that take a node out of rotation."),
    coolDown: positiveDuration.default("30s").describe("For how long, the first time."),
    growth: z.number().min(1).max(1000).default(2).describe("Each further time this many times longer."),
    maxCoolDown: positiveDuration.default("10min").describe("The longest."),
  }).prefault({}).describe("Takes failing nodes out of rotation."),
  fee: z.strictObject({
    share: quantity("FeeShare", "share", { max: [1, "100 %"] }).default(0).describe("Share of the job's amount, in whole basis points: `100 bps` or `1 %`."),
    flat: money.default("0 msat").describe("Fixed part per job."),
    ...feeSettlementFields,
  }).prefault({}).describe("What the router charges for a job."),
});

const payment = z.strictObject({
  latency: duration.default("300ms").describe("From sending to settlement."),
  baseFee: money.default("0 msat").describe("Lightning routing fee per payment."),
  feePpm: z.int().min(0).max(1_000_000).default(0).describe("Lightning routing fee in millionths of the amount."),
  failure: share.default(0).describe("Share of payments that fail."),
  clientBalance: money.default("1000000 sat").describe("What each client starts with."),
  attempts: z.int().min(1).max(20).default(3).describe("How often a client tries a payment; a job whose last try fails counts as failed."),
  retryPause: duration.default("1s").describe("Pause before the second try of a payment; doubled before each further one."),
  invoiceExpiry: z.union([positiveDuration, z.literal("forever")]).default("1h").describe("How long after the result a node waits for its money before it writes it off."),
  ...paymentSettlementFields,
});

const machine = z.union([
  z.string().min(1).max(128),
  z.strictObject({
    name: z.string().min(1).max(128).describe("A name for reports."),
    family: z.string().regex(/^[a-z0-9-]{1,32}$/).describe("The family in the machine catalogue whose efficiency figures apply, such as `nvidia`, `apple` or `cpu`."),
    memory: bytes.describe("Memory for weights and KV cache."),
    bandwidth: bandwidth.describe("Memory bandwidth."),
    compute: compute.describe("Dense computing speed at 16-bit precision."),
    power: z.strictObject({
      idle: power.describe("Drawn while idle."),
      load: power.describe("Drawn under load."),
    }).prefault({ idle: 0, load: 0 }).describe("Electrical power (default: not known, and neither is the energy in reports)."),
  }),
]);

const context = positiveTokens.optional().describe("Longest context of one job, prompt and output together (default: as in the profile, else 8Ki).");
const engine = oneOf({
  "llama.cpp": z.strictObject({
    slots: z.int().min(1).max(65_536).optional().describe("Sequences in one batch (default: as in the profile, else 4)."),
    context: positiveTokens.optional().describe("Context of each slot, prompt and output together (default: as in the profile, else 8Ki)."),
    batch: positiveTokens.optional().describe("Most tokens in one step (default: as in the profile, else 2048)."),
  }).describe("llama.cpp's server: slots that share a batch."),
  vllm: z.strictObject({
    sequences: z.int().min(1).max(65_536).optional().describe("Most sequences in one step (default: as in the profile, else 256)."),
    stepTokens: positiveTokens.optional().describe("Most tokens in one step: prompts are prefilled in chunks (default: as in the profile, else 2048)."),
    context,
    memoryShare: quantity("MemoryShare", "share", { positive: true, max: [1, "100 %"] }).default("90 %").describe("Share of the machine's memory used for weights and KV cache."),
  }).describe("vLLM: continuous batching with paged KV cache and chunked prefill."),
  sequential: z.strictObject({ context }).describe("One job after another."),
  "service-time": z.strictObject({
    service: durations.describe("A job's time in service when it is alone, whatever its tokens."),
    slots: z.int().min(1).max(65_536).optional().describe("Jobs in service at the same time (default: 1; as many as `rates`; 1000 with processor-sharing)."),
    discipline: z.enum(["fifo", "priority", "processor-sharing"]).default("fifo").describe("fifo: by arrival. priority: higher priority first, without preemption. processor-sharing: all at once, each at an equal share of one server's speed."),
    rates: z.array(z.number().gt(0).max(1e6)).min(1).max(65_536).optional().describe("Total speed with 1, 2, ... jobs in service, relative to one job alone: a batch server. Default: 1, 2, 3, ... (independent servers)."),
  }).describe("Queueing theory's server."),
}, ["llama.cpp", "vllm", "sequential"]);

const price = z.union([
  z.literal("free"),
  z.strictObject({
    input: tokenPrice.default(0).describe("Price of prompt tokens."),
    output: tokenPrice.default(0).describe("Price of output tokens."),
    fixed: money.default("0 msat").describe("Fixed part per job."),
    spread: quantity("Spread", "share", { max: [10, "1000 %"] }).default(0).describe("Coefficient of variation of a node's own price factor (lognormal, mean 1)."),
  }),
]);

const churn = z.strictObject({
  uptime: durations.optional().describe("From joining to leaving. Together with `downtime`."),
  downtime: durations.optional().describe("From leaving to returning."),
  abrupt: share.default("100 %").describe("Share of departures without notice: jobs there are lost in silence. Other departures finish what they hold."),
  failure: share.default(0).describe("Share of jobs that fail while being served."),
  slowdown: z.strictObject({
    every: durations.describe("From the end of one slow-down to the beginning of the next."),
    lasts: durations.describe("How long one lasts."),
    factor: z.number().gt(0).max(1).describe("Speed meanwhile, relative to the ordinary."),
  }).optional().describe("Times of reduced speed: a game is played on the same GPU, the laptop gets hot."),
});

const operator = z.strictObject({
  name: className.describe("Name of the operator class."),
  count: z.int().min(0).max(1_000_000).default(1).describe("Nodes of this class; with `entry`, those that are there at the start, perhaps none."),
  machine: machine.optional().describe("A machine of the catalogue, or one described here. Needed by every engine except service-time, unless there is a `profile`."),
  profile: profileFile.optional().describe("A machine profile, as `infernet bench` writes it: its file, relative to the scenario file, or its name in `profiles/` there. Machine, model and engine as measured. Speeds come from its fit or its measurements, slots and context from its settings where `engine` does not state them."),
  model: z.union([modelName, z.array(modelName).min(1).max(64)]).describe("The model served, from the model catalogue, or several."),
  engine: engine.default("llama.cpp").describe("What executes the model."),
  host: place.optional().describe("The host, of the list `hosts`, that all nodes of this class share with each other and with those of other classes (default: each has a machine of its own): its name, or `{name, shares, promptShares}` with what this class keeps of its speed there."),
  price: price.describe("Posted prices, or `free`."),
  region: regionOrShares.default("eu").describe("Where the nodes are: a region, or a map of regions and their shares."),
  queueLimit: jobs.default(4).describe("Jobs that may wait at a node beyond those running."),
  stake: money.default("0 sat").describe("Stake of each node."),
  attested: z.boolean().default(false).describe("Whether the nodes run in attested confidential-computing hardware."),
  churn: churn.prefault({}).describe("How nodes leave, fail and slow down."),
  electricity: electricity.optional().describe("Price of electricity, flat, by time of use or from a file: what the machines' energy costs, next to what they earn, in the report."),
  costs: costs.optional().describe("What the operator pays for beside electricity: machine, capital, upkeep, traffic. `{}` takes the catalogue's price and the defaults."),
  quote: quote.default("msat").describe("The money in which prices are posted. Fiat prices are converted at the going rate, again and again, where the rate moves."),
  entry: entry.optional().describe("Operators join when that pays more than their outside option, and leave when it does not. Default: all are there all the time."),
  ...strategyFields,
  ...operatorSettlementFields,
});

const trace = z.union([
  z.string().min(1).max(4096),
  z.strictObject({
    file: z.string().min(1).max(4096).describe("Path of the trace, relative to the scenario file; with --set, to the current folder."),
    format: z.enum(["azure", "mooncake", "burstgpt", "vidur"]).optional().describe("Default: told from the file."),
    timeScale: z.number().gt(0).max(1e6).default(1).describe("Factor on the gaps between arrivals; 0.5: twice as fast."),
    limit: z.int().min(1).optional().describe("Rows used (default: all)."),
  }),
]);

const cvOfGaps = z.number().gt(0).max(100).describe("Coefficient of variation of the gaps between arrivals.");
const meanRate = positiveRate.describe("Mean rate of the whole class.");
const arrivals = oneOf({
  regular: z.strictObject({ rate: meanRate }).describe("Evenly spaced."),
  poisson: z.strictObject({ rate: meanRate }).describe("Poisson: independent of each other."),
  gamma: z.strictObject({ rate: meanRate, cv: cvOfGaps }).describe("Renewal process with gamma-distributed gaps; CV above 1: bursts."),
  weibull: z.strictObject({ rate: meanRate, cv: cvOfGaps }).describe("Renewal process with Weibull-distributed gaps."),
  mmpp: z.strictObject({
    states: z.array(z.strictObject({
      rate: rate.describe("Rate in this state."),
      lasts: positiveDuration.describe("Mean time in this state (exponential)."),
    })).min(1).max(64).describe("States, visited in this order, again and again."),
  }).describe("Markov-modulated Poisson process."),
  varying: z.strictObject({
    points: z.array(z.tuple([duration, rate])).min(1).max(10_000).describe("[time, rate] in order of time; linear in between."),
    period: positiveDuration.optional().describe("Repeats after this time (default: the last rate lasts)."),
  }).describe("Poisson with a rate that changes over time."),
  closed: z.strictObject({
    users: z.int().min(1).max(1_000_000).describe("Users of the whole class."),
    thinkTime: durations.describe("From a job's end to the user's next job."),
  }).describe("Closed loop: each user waits for the answer, thinks, and asks again."),
  trace: trace.describe("As recorded in a trace."),
});

const lengths = z.union([z.literal("trace"), tokenCounts]);

const client = z.strictObject({
  name: className.describe("Name of the client class."),
  count: count.default(1).describe("Client participants of this class, among which its jobs are dealt."),
  region: regionOrShares.default("eu").describe("Where the clients are: a region, or a map of regions and their shares."),
  model: modelName.describe("The model asked for."),
  trace: trace.optional().describe("Replays this trace: its arrivals and token counts replace `arrivals`, `inputTokens` and `outputTokens`."),
  arrivals: arrivals.optional().describe("When jobs are submitted. Needed unless `trace` is given."),
  inputTokens: lengths.optional().describe("Prompt length. Needed unless arrivals come from a trace."),
  outputTokens: lengths.optional().describe("Output length if it is not cut; no participant knows it beforehand. Needed unless arrivals come from a trace."),
  maxOutputTokens: positiveTokens.default(1024).describe("Output is cut there."),
  ...worthFields,
  ...clientSettlementFields,
  latencyGoal: z.strictObject({
    ttft: positiveDuration.optional().describe("Time to first token."),
    tpot: positiveDuration.optional().describe("Time per output token after the first."),
    endToEnd: positiveDuration.optional().describe("From submission to result."),
  }).default({}).describe("What counts as good; goodput is measured against it."),
  patience: patience.default("2min").describe("How long the client waits for the result, or `forever`."),
  priority: z.int().min(0).max(9).default(0).describe("Higher is served first where a node's queue has priorities."),
  allowedRegions: z.array(region).min(1).max(64).optional().describe("Regions that may serve (default: any)."),
  minStake: money.default("0 sat").describe("Stake that a node must have."),
  privacy: z.enum(["any", "attested"]).default("any").describe("attested: only attested nodes may serve."),
});

/** A scenario as it is written, in YAML or JSON. Its output has defaults filled in; `resolve` turns that into a Scenario. */
export const scenarioSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/).meta({ title: "lower-case letters, digits and hyphens" }).describe("Short name, used for folders."),
  question: z.string().min(10).max(300).describe("The question that this scenario answers, in one sentence."),
  description: z.string().max(10_000).default("").describe("What is modelled, where the figures come from, what to look at."),
  seed: z.int().min(0).default(1).describe("Seed of all random streams."),
  horizon: positiveDuration.describe("Simulated time during which jobs arrive."),
  warmup: quantity("WarmupDuration", "duration", { words: ["auto"] }).default("0s").describe("Jobs submitted earlier than this are left out of the statistics; `auto`: until the market's start is over, as MSER-5 finds in pilots, which are 5 runs more."),
  drain: z.boolean().default(true).describe("Play on after the horizon, without new arrivals, until every job has ended; false: jobs under way count as in flight."),
  exchangeRate: z.union([exchangeRate, z.array(exchangeRate).min(1).max(2)]).optional().describe("What a bitcoin is worth, where amounts are given in fiat money: `100000 USD/btc`, or a list for several currencies."),
  exchange: exchange.optional().describe("How the worth of a bitcoin moves, from `exchangeRate` on: constant (the default), from a file, or a geometric Brownian path."),
  network: network.prefault({}).describe("Delays between participants."),
  router: router.prefault({}).describe("The market's matchmaker."),
  pricing: pricing.default("posted").describe("How the price of a job comes about: posted by each node (the default), one for all, by utilisation, or by auction."),
  payment: payment.prefault({}).describe("Lightning payments, as a wallet model."),
  settlement: settlement.default("postpay").describe("How jobs are paid. postpay: after the result. prepay: before work. escrow: locked before work, taken after delivery. streaming: chunk by chunk."),
  hosts: hosts.optional().describe("Machines that several nodes compute on: their engines slow each other down while they are busy at once. Operators name theirs with `host`."),
  operators: z.array(operator).min(1).max(1000).describe("Operator classes: who serves."),
  clients: z.array(client).min(1).max(1000).describe("Client classes: who asks."),
  ...experimentShape,
});

/** An engine's settings with defaults filled in: `engineSchema.parse({vllm: {}})`. */
export const engineSchema = engine;

/** A scenario as people write it. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
/** The same with defaults filled in. */
export type CompleteInput = z.output<typeof scenarioSchema>;
