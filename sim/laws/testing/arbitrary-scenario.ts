import fc from "fast-check";
import type { CustomPolicy } from "../../../scheduler/custom/source.ts";
import type { PricingOptions } from "../../../scheduler/pricing/options.ts";
import type { PolicyOptions } from "../../../scheduler/selection/policy.ts";
import type { DistributionSpec } from "../../kernel/distributions/index.ts";
import type { ArrivalsSpec, ChurnSpec, ClientSpec, EngineSpec, MachineSpec, NetworkSpec, OperatorSpec, PaymentSpec, RouterSpec, Scenario, Share } from "../../scenario/scenario.ts";

const SECOND_US = 1_000_000;
/** Small enough for a laptop, fast enough that jobs of some hundred tokens take about a second. */
const MODEL = "llama-3.2-1b:q4_k_m";
const OTHER_MODEL = "tinyllama-1.1b:q4_k_m";
const REGIONS = ["eu", "us", "asia"] as const;

const us = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const region = fc.constantFrom(...REGIONS);

/** Positive values around a mean, in every shape. */
function around(mean: fc.Arbitrary<number>): fc.Arbitrary<DistributionSpec> {
  return mean.chain((value): fc.Arbitrary<DistributionSpec> => fc.constantFrom<DistributionSpec>(
    value,
    { exponential: { mean: value } },
    { lognormal: { mean: value, cv: 1 } },
    { uniform: { min: value / 2, max: (value * 3) / 2 } },
    { hyperexponential: { mean: value, cv: 2 } },
    { values: [value, value / 3, value * 2] },
  ));
}

const weights = fc.record({ price: fc.integer({ min: 1, max: 3 }), latency: fc.integer({ min: 0, max: 3 }), load: fc.integer({ min: 0, max: 3 }), reliability: fc.integer({ min: 0, max: 3 }) });

export const arbitraryPolicy: fc.Arbitrary<PolicyOptions> = fc.oneof(
  fc.constantFrom<PolicyOptions>({ kind: "cheapest" }, { kind: "least-loaded" }, { kind: "round-robin" }, { kind: "random" }),
  weights.map((w): PolicyOptions => ({ kind: "weighted-score", weights: w })),
  fc.integer({ min: 1, max: 4 }).map((choices): PolicyOptions => ({ kind: "power-of-two", choices })),
  weights.map((w): PolicyOptions => ({ kind: "softmax", temperature: 0.1, weights: w })),
  fc.record({ n: fc.integer({ min: 1, max: 4 }), w: weights }).map(({ n, w }): PolicyOptions => ({ kind: "top-n-random", n, weights: w })),
);

const shares: fc.Arbitrary<readonly Share[]> = fc.oneof(
  region.map((name) => [{ region: name, share: 1 }]),
  fc.constant([{ region: "eu", share: 0.5 }, { region: "us", share: 0.5 }]),
);

/** A card on which little is left for the KV cache beside the weights. */
const tightMachine: MachineSpec = {
  name: "small card", family: "nvidia-ada", memoryBytes: 1_750_000_000, bandwidthBytesPerS: 300e9, flopPerS: 40e12, idleWatts: 10, loadWatts: 100,
};
const tightForVllm: MachineSpec = { ...tightMachine, name: "smaller card", memoryBytes: 2_860_000_000 };

const serviceTime: fc.Arbitrary<EngineSpec> = fc.record({
  slots: fc.integer({ min: 1, max: 4 }), serviceUs: around(us(SECOND_US / 20, 2 * SECOND_US)), discipline: fc.constantFrom("fifo" as const, "priority" as const),
  rates: fc.constantFrom("independent", "shared", "batch"),
}).map(({ slots, serviceUs, discipline, rates }) => ({
  kind: "service-time", slots, serviceUs, discipline,
  rates: Array.from({ length: slots }, (_, i) => (rates === "independent" ? i + 1 : rates === "shared" ? 1 : 1 + 0.6 * i)),
}));

const modelEngine: fc.Arbitrary<Pick<OperatorSpec, "engine" | "machine">> = fc.oneof(
  fc.record({ slots: fc.integer({ min: 1, max: 4 }), contextTokens: fc.constantFrom(1_024, 4_096), batchTokens: fc.constantFrom(128, 2_048), machine: fc.constantFrom<OperatorSpec["machine"]>("RTX 3060 12GB", "RTX 4090", tightMachine) })
    .map(({ machine, ...settings }): Pick<OperatorSpec, "engine" | "machine"> => ({ machine, engine: { kind: "llama.cpp", ...settings } })),
  fc.record({ maxSequences: fc.integer({ min: 1, max: 8 }), stepTokens: fc.constantFrom(64, 512, 2_048), machine: fc.constantFrom<OperatorSpec["machine"]>("RTX 3060 12GB", tightForVllm) })
    .map(({ machine, ...settings }): Pick<OperatorSpec, "engine" | "machine"> => ({ machine, engine: { kind: "vllm", ...settings, contextTokens: 4_096, memoryShare: 0.9 } })),
  fc.constantFrom<OperatorSpec["machine"]>("M1 8-core 16GB", "Ryzen 7 7840U laptop DDR5").map((machine): Pick<OperatorSpec, "engine" | "machine"> => ({ machine, engine: { kind: "sequential", contextTokens: 2_048 } })),
);

const engine: fc.Arbitrary<Pick<OperatorSpec, "engine" | "machine">> = fc.oneof(
  { weight: 2, arbitrary: serviceTime.map((spec): Pick<OperatorSpec, "engine" | "machine"> => ({ machine: null, engine: spec })) },
  { weight: 3, arbitrary: modelEngine },
);

const churn: fc.Arbitrary<ChurnSpec> = fc.record({
  presence: fc.option(fc.record({ uptimeUs: around(us(4 * SECOND_US, 20 * SECOND_US)), downtimeUs: around(us(SECOND_US, 8 * SECOND_US)), abruptShare: fc.constantFrom(0, 0.5, 1) }), { nil: null }),
  failureShare: fc.constantFrom(0, 0, 0.1),
  slowdown: fc.option(fc.record({ everyUs: around(us(2 * SECOND_US, 8 * SECOND_US)), lastsUs: around(us(SECOND_US, 4 * SECOND_US)), factor: fc.constantFrom(0.2, 0.5) }), { nil: null }),
});

const operator: fc.Arbitrary<OperatorSpec> = fc.record({
  count: fc.integer({ min: 1, max: 4 }), kit: engine, models: fc.constantFrom([MODEL], [MODEL], [MODEL], [MODEL, OTHER_MODEL]),
  prices: fc.record({ inputMsatPerMtok: us(0, 100_000), outputMsatPerMtok: us(0, 300_000), fixedMsat: us(0, 30) }),
  priceSpreadCv: fc.constantFrom(0, 0.3), regions: shares, queueLimit: fc.integer({ min: 0, max: 4 }), stakeMsat: fc.constantFrom(0, 5_000, 5_000), attested: fc.constantFrom(true, true, false), churn,
}).map(({ kit, ...spec }) => ({ name: "", ...spec, ...kit, electricityMsatPerKwh: null, supply: null, settlement: { nonDeliveryShare: 0, channel: null }, strategy: { rule: { kind: "fixed" }, repriceUs: 600 * SECOND_US, firstUs: null, startSlots: null, marginalCost: null } }));

const ratePerS = fc.constantFrom(0.5, 2, 6);
const arrivals: fc.Arbitrary<ArrivalsSpec> = fc.oneof(
  fc.record({ kind: fc.constantFrom("regular" as const, "poisson" as const), ratePerS }),
  fc.record({ kind: fc.constantFrom("gamma" as const, "weibull" as const), ratePerS, cv: fc.constantFrom(0.5, 2) }),
  ratePerS.map((rate): ArrivalsSpec => ({ kind: "mmpp", states: [{ ratePerS: rate, meanUs: 4 * SECOND_US }, { ratePerS: rate * 4, meanUs: SECOND_US }] })),
  ratePerS.map((rate): ArrivalsSpec => ({ kind: "varying", points: [{ atUs: 0, ratePerS: rate }, { atUs: 5 * SECOND_US, ratePerS: rate * 3 }], periodUs: 10 * SECOND_US })),
  fc.record({ users: fc.integer({ min: 1, max: 12 }), thinkTimeUs: around(us(SECOND_US / 2, 4 * SECOND_US)) }).map((loop): ArrivalsSpec => ({ kind: "closed", ...loop })),
);

const worth: fc.Arbitrary<ClientSpec["worth"]> = fc.record({
  valueMsat: fc.oneof(fc.constant(null), around(us(20, 300))), maxPriceShare: fc.constantFrom(null, 1, 0.7), delayMsatPerS: fc.constantFrom(0, 0, 2.5),
  budget: fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.record({ amountMsat: us(50, 2_000), perUs: us(2 * SECOND_US, 10 * SECOND_US), spent: fc.constantFrom("stop" as const, "lower" as const) }) }),
  choice: fc.constantFrom<ClientSpec["worth"]["choice"]>(null, null, null, { rule: "price" }, { rule: "score" }, { rule: "logit", scaleMsat: 20 }, { rule: "logit", scaleMsat: 50, outsideMsat: -1 }),
}).map((spec) => ({ ...spec, maxPriceShare: spec.valueMsat === null ? null : spec.maxPriceShare }));

const client: fc.Arbitrary<ClientSpec> = fc.record({
  worth,
  count: fc.integer({ min: 1, max: 3 }), regions: shares, model: fc.constantFrom(...Array.from({ length: 9 }, () => MODEL), OTHER_MODEL), arrivals,
  inputTokens: around(us(1, 500)), outputTokens: around(us(1, 150)), maxOutputTokens: fc.constantFrom(1, 60, 200, 600),
  maxPriceMsat: fc.oneof(around(us(20, 200)), fc.constant(1_000_000)),
  latencyGoal: fc.constantFrom<ClientSpec["latencyGoal"]>({}, { ttftUs: SECOND_US }, { endToEndUs: 5 * SECOND_US, tpotUs: 50_000 }),
  patienceUs: around(us(SECOND_US, 40 * SECOND_US)), priority: fc.integer({ min: 0, max: 9 }),
  allowedRegions: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.subarray([...REGIONS], { minLength: 1 }) }), minStakeMsat: fc.constantFrom(0, 0, 0, 0, 5_000),
  privacy: fc.constantFrom("any" as const, "any" as const, "any" as const, "attested" as const), verification: fc.constant("none" as const),
}).map((spec) => ({ name: "", settlement: { terms: null, dishonestShare: 1, nonPaymentShare: 0, channel: null }, ...spec }));

const network: fc.Arbitrary<NetworkSpec> = fc.record({
  latencyUs: us(1, 100_000), sameRegionUs: us(1, 10_000), between: fc.constantFrom([], [{ a: "us", b: "eu", latencyUs: 45_000 }]),
  jitterCv: fc.constantFrom(0, 0, 0.5), signingUs: fc.constantFrom(0, 60, 2_000), verifyingUs: fc.constantFrom(0, 100, 3_000), messages: fc.constant("plain" as const),
});

const router: fc.Arbitrary<RouterSpec> = fc.record({
  count: fc.integer({ min: 1, max: 3 }), region, policy: arbitraryPolicy, heartbeatUs: us(SECOND_US / 2, 3 * SECOND_US), attempts: fc.integer({ min: 1, max: 4 }),
  staleFactor: fc.constantFrom(1.5, 3), marketStateUs: fc.constant(0), acceptTimeoutUs: us(250_000, 2 * SECOND_US), jobTimeoutUs: us(2 * SECOND_US, 30 * SECOND_US),
  queue: fc.record({ limit: fc.constantFrom(0, 3, 50), maxWaitUs: us(SECOND_US / 2, 10 * SECOND_US) }),
  circuitBreaker: fc.record({ failures: fc.integer({ min: 1, max: 3 }), coolDownUs: us(SECOND_US / 2, 4 * SECOND_US), growth: fc.constantFrom(1, 2), maxCoolDownUs: us(4 * SECOND_US, 8 * SECOND_US) }),
  fee: fc.record({ shareBps: fc.constantFrom(0, 100, 2_500), flatMsat: fc.constantFrom(0, 0, 3) }),
}).map(({ staleFactor, ...spec }) => ({ ...spec, staleAfterUs: Math.round(spec.heartbeatUs * staleFactor) }));

const payment: fc.Arbitrary<PaymentSpec> = fc.record({
  latencyUs: us(1, 800_000), baseFeeMsat: fc.constantFrom(0, 2), feePpm: fc.constantFrom(0, 50_000), failureShare: fc.constantFrom(0, 0, 0.2),
  clientBalanceMsat: fc.constantFrom(0, 500, 5_000, 1_000_000_000, 1_000_000_000, 1_000_000_000),
  attempts: fc.integer({ min: 1, max: 3 }), retryUs: us(SECOND_US / 4, SECOND_US), invoiceExpiryUs: fc.constantFrom(5 * SECOND_US, 3_600 * SECOND_US),
}).map((spec) => ({ ...spec, feeBearer: "payer", capitalPerYear: 0.05, refundWithinUs: 5 * SECOND_US }));

/** Prices for all, at which most nodes serve. */
const sheet = fc.record({ inputMsatPerMtok: us(50_000, 150_000), outputMsatPerMtok: us(150_000, 400_000), fixedMsat: us(15, 40) });
const batchUs = us(SECOND_US / 20, 2 * SECOND_US);

/** A policy such as users write, without much sense: now a factor, now one price for all, at random. */
const ERRATIC: CustomPolicy = {
  file: "./erratic.ts", sha256: "0".repeat(64), options: {},
  code: `export default {
    openMarket({ posted, random }) {
      const part = (of: number): number => Math.round(of * (0.5 + random.next()));
      return ({ utilisation, interval }: { utilisation: number; interval: number }) => random.next() < 0.5
        ? { factor: 1 + 2 * random.next() * utilisation }
        : { inputMsatPerMtok: part(posted.inputMsatPerMtok), outputMsatPerMtok: part(posted.outputMsatPerMtok), fixedMsat: part(posted.fixedMsat) + interval };
    },
  };`,
};

/** Every mechanism that finds prices, in all its variants. */
const foundPricing: fc.Arbitrary<PricingOptions> = fc.oneof(
  sheet.map((prices): PricingOptions => ({ kind: "network", prices })),
  fc.record({ above: fc.constantFrom(0, 0.5), slope: fc.constantFrom(0.5, 3), max: fc.constantFrom(1, 1.5, 4), intervalUs: us(SECOND_US / 2, 5 * SECOND_US) }).map((terms): PricingOptions => ({ kind: "surge", ...terms })),
  fc.record({ start: sheet, step: fc.constantFrom(0.125, 0.5), target: fc.constantFrom({ low: 0.5, high: 0.5 }, { low: 0.2, high: 0.6 }), intervalUs: us(SECOND_US / 2, 3 * SECOND_US) })
    .map((terms): PricingOptions => ({ kind: "base-fee", ...terms, floor: { inputMsatPerMtok: 0, outputMsatPerMtok: Math.floor(terms.start.outputMsatPerMtok / 2), fixedMsat: 0 } })),
  us(SECOND_US / 2, 5 * SECOND_US).map((intervalUs): PricingOptions => ({ kind: "custom", policy: ERRATIC, posted: { inputMsatPerMtok: 100_000, outputMsatPerMtok: 300_000, fixedMsat: 20 }, intervalUs })),
  fc.record({
    payment: fc.constantFrom("first-price" as const, "second-price" as const), windowUs: us(1_000, SECOND_US), invited: fc.integer({ min: 1, max: 6 }),
    reserveMsat: fc.constantFrom(null, null, 30, 150), rounds: fc.integer({ min: 1, max: 3 }),
  }).map((terms): PricingOptions => ({ kind: "call-for-bids", ...terms })),
  batchUs.map((intervalUs): PricingOptions => ({ kind: "uniform-price", intervalUs })),
  fc.record({ intervalUs: batchUs, rule: fc.constantFrom("midpoint" as const, "mcafee" as const) }).map((terms): PricingOptions => ({ kind: "call-market", ...terms })),
  fc.constant<PricingOptions>({ kind: "continuous" }),
);

/** The parts of a scenario that a test may want otherwise. */
export interface Wishes {
  readonly network?: Partial<NetworkSpec>;
  readonly router?: Partial<RouterSpec>;
  /** Posted prices unless told otherwise; "found": any mechanism that finds prices. */
  readonly pricing?: PricingOptions | "found";
  readonly payment?: Partial<PaymentSpec>;
  readonly operators?: Partial<OperatorSpec>;
  readonly clients?: Partial<ClientSpec>;
  readonly churn?: Partial<ChurnSpec>;
  readonly scenario?: Partial<Pick<Scenario, "drain" | "horizonUs" | "warmupUs">>;
}

/**
 * Markets of up to 16 nodes and 9 clients over half a simulated minute: all engines and policies, all kinds of arrivals,
 * several routers, churn, failures, jitter, fees, payments that fail, impatience, limits of every kind.
 */
export function arbitraryScenario(wishes: Wishes = {}): fc.Arbitrary<Scenario> {
  return fc.record({
    seed: fc.integer({ min: 0, max: 2 ** 31 }), horizonUs: us(15 * SECOND_US, 30 * SECOND_US), warmupUs: fc.constantFrom(0, 5 * SECOND_US), drain: fc.boolean(),
    network, router, payment, pricing: wishes.pricing === "found" ? foundPricing : fc.constant(wishes.pricing ?? { kind: "posted" as const }), operators: fc.array(operator, { minLength: 1, maxLength: 4 }), clients: fc.array(client, { minLength: 1, maxLength: 3 }),
  }).map((parts) => ({
    name: "law", question: "Do the laws hold?", description: "", exchangeRates: [], exchange: null,
    ...parts,
    ...wishes.scenario,
    network: { ...parts.network, ...wishes.network },
    router: { ...parts.router, marketStateUs: parts.pricing.kind === "posted" ? 0 : 2 * SECOND_US, ...wishes.router },
    payment: { ...parts.payment, ...wishes.payment },
    operators: parts.operators.map((spec, i) => ({ ...spec, name: `class-${"abcd"[i]}`, ...wishes.operators, churn: { ...(wishes.operators?.churn ?? spec.churn), ...wishes.churn } })),
    clients: parts.clients.map((spec, i) => ({ ...spec, name: `users-${"xyz"[i]}`, ...wishes.clients })),
  }));
}
