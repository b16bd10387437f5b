import fc from "fast-check";
import type { FeeTerms, JobRequest, PeerId } from "../../protocol/messages.ts";
import type { ExclusionRule } from "../environment.ts";
import { Registry } from "../registry.ts";
import { hex32 } from "./fake-environment.ts";
import { descriptor, heartbeat, offer, prices, request } from "./market.ts";

/** Everything about one node that an eligibility rule may ask for. */
export interface NodeSpec {
  readonly region: string;
  readonly stakeMsat: number;
  readonly attested: boolean;
  readonly banned: boolean;
  readonly accepting: boolean;
  /** µs since the last sign of life. */
  readonly silentUs: number;
  readonly circuit: "closed" | "open" | "half-open";
  readonly slots: number;
  readonly queueLimit: number;
  readonly own: number;
  readonly others: number;
  readonly tried: boolean;
  readonly offers: readonly { readonly model: string; readonly contextTokensMax: number; readonly prices: readonly [number, number, number]; readonly speed: number }[];
}

/** A market as a list of plain facts, from which both a registry and a brute-force judge can be made. */
export interface MarketSpec {
  readonly nodes: readonly NodeSpec[];
  readonly fee: FeeTerms;
  readonly job: JobRequest;
}

export const NOW_US = 5_000_000_000;
export const STALE_AFTER_US = 30_000_000;
const COOL_DOWN_US = 1000;

/** Most nodes pass most rules, or hardly any job would ever find a node. */
const mostly = <T>(usual: T, ...others: T[]): fc.Arbitrary<T> => fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const price = fc.oneof({ weight: 4, arbitrary: fc.nat(50_000_000) }, fc.nat(100), fc.maxSafeNat());
const offerSpec = fc.record({
  model: mostly("m1", "m2"),
  contextTokensMax: fc.oneof(fc.constantFrom(199, 200, 201), fc.constant(2 ** 32)),
  prices: fc.tuple(price, price, fc.oneof(fc.constant(0), fc.nat(2000))),
  speed: fc.integer({ min: 1, max: 200 }),
});

const nodeSpec: fc.Arbitrary<NodeSpec> = fc.record({
  region: fc.constantFrom("eu", "us", "asia"),
  stakeMsat: fc.constantFrom(1000, 1000, 1000, 1001, 0, 999),
  attested: fc.constantFrom(true, true, true, false),
  banned: mostly(false, true),
  accepting: mostly(true, false),
  silentUs: mostly(0, STALE_AFTER_US - 1, STALE_AFTER_US, STALE_AFTER_US + 1, 2 * STALE_AFTER_US),
  circuit: mostly("closed" as const, "open" as const, "half-open" as const),
  slots: fc.integer({ min: 1, max: 4 }),
  queueLimit: fc.nat(2),
  own: mostly(0, 1, 2, 5),
  others: mostly(0, 1, 2, 3),
  tried: mostly(false, true),
  offers: fc.uniqueArray(offerSpec, { minLength: 1, maxLength: 2, selector: (each) => each.model }),
});

const feeTerms: fc.Arbitrary<FeeTerms> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ shareBps: 0, flatMsat: 0 }) },
  { weight: 5, arbitrary: fc.record({ shareBps: fc.nat(10_000), flatMsat: fc.nat(500) }) },
  fc.record({ shareBps: fc.nat(10_000), flatMsat: fc.constantFrom(2 ** 53 - 1, 2 ** 52) }),
);

/** The client's maximum is anything up to all the money there is, or lies at, just below or just above what one of the nodes costs. */
const budget = fc.record({ near: fc.nat(), byMsat: fc.constantFrom(-1, 0, 1), anywhere: fc.option(mostly(2 ** 53 - 1, 10_000, 0), { nil: undefined, freq: 3 }) });

export const marketSpec: fc.Arbitrary<MarketSpec> = fc
  .record({
    nodes: fc.array(nodeSpec, { minLength: 1, maxLength: 12 }),
    fee: feeTerms,
    tokens: fc.oneof({ weight: 3, arbitrary: fc.tuple(fc.nat(199), fc.constant(0)) }, fc.tuple(fc.nat(2 ** 31 - 1), fc.integer({ min: 1, max: 2 ** 31 - 1 }))),
    budget,
    job: fc.record({
      model: mostly("m1", "m2", "m3"),
      // Half of the jobs ask for nothing out of the ordinary.
      asks: fc.option(fc.record({
        minStakeMsat: fc.constantFrom(0, 1, 1000),
        privacy: fc.constantFrom("any" as const, "attested" as const),
        allowedRegions: fc.option(fc.subarray(["eu", "us", "asia", "moon"], { minLength: 1 }), { nil: undefined }),
      }), { nil: { minStakeMsat: 0, privacy: "any" as const, allowedRegions: undefined }, freq: 2 }),
      endToEndUs: fc.option(fc.nat(60_000_000), { nil: undefined }),
      number: fc.nat(1000),
    }),
  })
  .map(({ nodes, fee, tokens, budget: { near, byMsat, anywhere }, job: { number, asks: { allowedRegions, ...asks }, endToEndUs, ...job } }) => {
    const [inputTokens, drawn] = tokens;
    // Two hundred tokens in all, which some nodes' contexts just do and just do not hold.
    const maxOutputTokens = drawn === 0 ? 200 - inputTokens : drawn;
    const offers = nodes.flatMap((node) => node.offers);
    const exact = exactMsat(offers[near % offers.length]!.prices, fee, inputTokens, maxOutputTokens) + BigInt(byMsat);
    const most = BigInt(Number.MAX_SAFE_INTEGER);
    const maxPriceMsat = anywhere ?? Number(exact < 0n ? 0n : exact > most ? most : exact);
    return {
      nodes,
      fee,
      job: request(`job-${number}`, {
        ...job, ...asks, inputTokens, maxOutputTokens, maxPriceMsat, ...(allowedRegions === undefined ? {} : { allowedRegions }),
        latencyGoal: endToEndUs === undefined ? {} : { endToEndUs },
      }),
    };
  });

/** The id of the node at this place of the list. */
export const idAt = (i: number): PeerId => hex32(`node ${i}`);

/** A registry that knows these nodes, registered in the given order (of places in the list). */
export function registryOf(spec: MarketSpec, order: readonly number[] = spec.nodes.map((_, i) => i)): Registry {
  const registry = new Registry({ failures: 1, coolDownUs: COOL_DOWN_US, growth: 2, maxCoolDownUs: 1e9 });
  for (const i of order) {
    const node = spec.nodes[i]!;
    const { region, stakeMsat, attested, slots, queueLimit } = node;
    const seenUs = NOW_US - node.silentUs;
    const offers = node.offers.map(({ model, contextTokensMax, prices: [input, output, fixed], speed }) =>
      offer({ model, contextTokensMax, prices: prices(input, output, fixed), decodeTokensPerS: speed }));
    registry.register(descriptor(`node ${i}`, { region, stakeMsat, attested, slots, queueLimit, offers }), seenUs);
    const n = registry.indexOf(idAt(i));
    registry.own[n] = node.own;
    registry.heartbeat(idAt(i), heartbeat(0, { running: node.own, waiting: node.others, accepting: node.accepting }), seenUs);
    registry.banned[n] = node.banned ? 1 : 0;
    if (node.circuit !== "closed") registry.recordFailure(n, NOW_US - (node.circuit === "open" ? COOL_DOWN_US - 1 : COOL_DOWN_US));
  }
  return registry;
}

/** Indexes of the nodes that had their chance. */
export function triedIn(spec: MarketSpec, registry: Registry): number[] {
  return spec.nodes.flatMap((node, i) => (node.tried ? [registry.indexOf(idAt(i))] : []));
}

/** What the job can cost at most, fee included, in exact arithmetic. */
export function exactMsat([input, output, fixed]: readonly [number, number, number], fee: FeeTerms, inputTokens: number, outputTokens: number): bigint {
  const amount = (BigInt(inputTokens) * BigInt(input) + BigInt(outputTokens) * BigInt(output)) / 1_000_000n + BigInt(fixed);
  return amount + (amount * BigInt(fee.shareBps)) / 10_000n + BigInt(fee.flatMsat);
}

/** Every rule that excludes the node, in the order in which they are judged: written from the facts, not from the code. */
export function brokenRules({ fee, job }: MarketSpec, node: NodeSpec): ExclusionRule[] {
  const offered = node.offers.find((each) => each.model === job.model);
  if (offered === undefined) return ["no-model"];
  const load = node.own + node.others;
  const broken: [ExclusionRule, boolean][] = [
    ["banned", node.banned],
    ["under-staked", node.stakeMsat < job.minStakeMsat],
    ["wrong-region", job.allowedRegions !== undefined && !job.allowedRegions.includes(node.region)],
    ["not-attested", job.privacy === "attested" && !node.attested],
    ["context-too-short", job.inputTokens + job.maxOutputTokens > offered.contextTokensMax],
    ["too-dear", exactMsat(offered.prices, fee, job.inputTokens, job.maxOutputTokens) > BigInt(job.maxPriceMsat)],
    ["already-tried", node.tried],
    ["stale", node.silentUs > STALE_AFTER_US],
    ["not-accepting", !node.accepting],
    ["circuit-open", node.circuit === "open" || (node.circuit === "half-open" && node.own > 0)],
    ["full", load >= node.slots + node.queueLimit],
  ];
  return broken.filter(([, is]) => is).map(([rule]) => rule);
}
