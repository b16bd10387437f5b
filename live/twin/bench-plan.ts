import type { JobId, JobRequest } from "../../protocol/messages.ts";
import { sha256Hex } from "../../protocol/canonical.ts";
import { sumOf } from "../../sim/kernel/statistics/lists.ts";
import type { OperatorSpec, Scenario } from "../../sim/scenario/scenario.ts";
import { unlimitedMsat } from "../../sim/scenario/scenario.ts";
import { planClients } from "../../sim/world/client-plan.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf } from "../../sim/world/participants.ts";
import { type PlannedJob, planJobs } from "../../sim/world/planned-jobs.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import type { Submission } from "./part.ts";

/** What a stage of the bench run measures. */
export type StagePurpose =
  /** One job alone in the market: its prompt's time. */
  | { readonly kind: "prompt"; readonly node: number; readonly tokens: number }
  /** So many jobs at once at one node, of equal lengths: the time of a step. */
  | { readonly kind: "steps"; readonly node: number; readonly sequences: number; readonly inputTokens: number; readonly outputTokens: number }
  /** Jobs of the workload's kind, as dense as there, sent where the router likes: what nodes lose to each other, as they do there. */
  | { readonly kind: "traffic" }
  /** Nothing is measured: files get into memory, code gets compiled. */
  | { readonly kind: "warm-up"; readonly node: number };

/** Its jobs come when those of the stage before have ended. */
export interface BenchStage {
  readonly what: StagePurpose;
  readonly jobs: readonly Submission[];
}

/** Measurements of the nodes, through the whole market. */
export interface BenchPlan {
  readonly stages: readonly BenchStage[];
  /** True output lengths of those jobs that are shorter than their limit. */
  readonly lengths: ReadonlyMap<JobId, number>;
  /** How long it will take, about, µs. */
  readonly aboutUs: number;
}

/**
 * How long a round's stretch of traffic lasts, µs; never more than half the horizon. Which engines get a core to themselves changes from
 * second to second, so that it takes minutes of all rounds together until the mean is known.
 */
const TRAFFIC_US = 40_000_000;
/** What a prompt's measurement takes, about, µs. */
const PROMPT_US = 100_000;

export interface BenchSize {
  /** The rounds to be planned, from 0; each measures everything once, the traffic with jobs of its own. */
  readonly rounds: readonly number[];
  /** How many rounds make up the measurement: together, their traffic comes from all parts of the workload. */
  readonly of: number;
  /** How long a measured stretch of decoding should last, about, s. */
  readonly stretchS: number;
  /** When the play pauses, µs: no stretch of traffic reaches over such a break, where it is not longer than what lies between two. */
  readonly intermissionsUs: readonly number[];
}

/** The scenario in which the measurements take place: every node is in a region of its own, so that jobs can be sent to it. */
export function benchScenario(scenario: Scenario): Scenario {
  return { ...scenario, name: `${scenario.name}-bench`, operators: inRegionsOfTheirOwn(scenario.operators) };
}

/**
 * Plans what is to be measured of the nodes: prompts over the workload's lengths, decode steps over batch size and context,
 * and how much the nodes slow each other down. None of the workload's jobs is among it.
 * @param plans nodes of the scenario, whose advertised speeds say how long a stretch must be.
 */
export function planBench(scenario: Scenario, seed: number, plans: readonly NodePlan[], workload: readonly PlannedJob[], { rounds, of, stretchS, intermissionsUs }: BenchSize): BenchPlan {
  const clients = planClients(scenario).map(({ entity }) => publicKeyOf(seed, identityOf("client", entity)));
  const inputs = workload.map(({ request }) => request.inputTokens).sort((a, b) => a - b);
  const outputs = workload.map(({ request, outputTokens }) => Math.min(outputTokens, request.maxOutputTokens)).sort((a, b) => a - b);
  const at = (sorted: readonly number[], p: number): number => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 1;
  const lengthsOfPrompts = [...new Set([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map((p) => at(inputs, p)))];
  const [low, high] = [at(inputs, 0.1), at(inputs, 0.9)];

  const stages: BenchStage[] = [];
  const lengths = new Map<JobId, number>();
  const typical = { input: at(inputs, 0.5), output: at(outputs, 0.5) };
  let made = 0;
  const newId = (): JobId => `bench-${rounds[0] ?? 0}-${made++}`;
  const add = (what: StagePurpose, jobs: readonly Submission[]): void => void stages.push({ what, jobs });
  const jobs = (count: number, node: number, inputTokens: number, outputTokens: number): Submission[] => Array.from({ length: count }, () => {
    const request: JobRequest = {
      jobId: newId(), client: clients[0]!, model: plans[node]!.descriptor.offers[0]!.model, inputTokens, maxOutputTokens: outputTokens, maxPriceMsat: unlimitedMsat, latencyGoal: {}, patienceUs: 600_000_000, priority: 0,
      region: scenario.router.region, allowedRegions: [regionOf(node)], minStakeMsat: 0, privacy: "any", verification: "none", promptHash: sha256Hex(""),
    };
    // The first of all comes when nodes have registered.
    return { atUs: stages.length === 0 ? 300_000 : 0, client: 0, request };
  });
  const trafficUs = Math.min(TRAFFIC_US, scenario.horizonUs / 2);
  /** @param share where in the workload the stretch's middle is, by jobs: the denser they come, the more of it is measured. */
  const traffic = (others: readonly PlannedJob[], share: number): Submission[] => {
    const middleUs = others[Math.floor(share * others.length)]?.atUs ?? 0;
    const actUs = intermissionsUs.findLast((atUs) => atUs <= middleUs) ?? 0;
    const nextActUs = intermissionsUs.find((atUs) => atUs > middleUs) ?? scenario.horizonUs;
    const lastUs = others.findLast(({ atUs }) => atUs < nextActUs)?.atUs ?? 0;
    const fromUs = Math.max(actUs, Math.min(middleUs - trafficUs / 2, lastUs - trafficUs));
    return others.filter(({ atUs }) => atUs >= fromUs && atUs < fromUs + trafficUs).map(({ atUs, client, request, outputTokens }) => {
      const jobId = newId();
      lengths.set(jobId, outputTokens);
      return { atUs: Math.round(atUs - fromUs), client, request: { ...request, jobId, client: clients[client]!, allowedRegions: plans.map((_, node) => regionOf(node)), patienceUs: 600_000_000 } };
    });
  };

  if (rounds.length > 0) plans.forEach(({ descriptor: { slots } }, node) => add({ kind: "warm-up", node }, jobs(slots, node, typical.input, typical.output)));
  for (const round of rounds) {
    plans.forEach(({ descriptor }, node) => {
      for (const tokens of lengthsOfPrompts) add({ kind: "prompt", node, tokens }, jobs(1, node, tokens, 2));
      const { decodeTokensPerS, contextTokensMax } = descriptor.offers[0]!;
      const outputTokens = Math.max(8, Math.min(Math.round(stretchS * decodeTokensPerS), 2 * at(outputs, 1), contextTokensMax - high - 2));
      for (let sequences = 1; sequences <= descriptor.slots; sequences = next(sequences, descriptor.slots)) {
        for (const inputTokens of new Set([low, high])) add({ kind: "steps", node, sequences, inputTokens, outputTokens }, jobs(sequences, node, inputTokens, outputTokens));
      }
    });
    // Jobs of another seed: nothing of the workload is played beforehand.
    add({ kind: "traffic" }, traffic(planJobs(scenario, seed + 1 + round), (round + 0.5) / of));
  }
  const about = { "warm-up": PROMPT_US, prompt: PROMPT_US, steps: stretchS * 1e6, traffic: trafficUs };
  return { stages, lengths, aboutUs: sumOf(stages.map(({ what }) => about[what.kind])) };
}

/** 1, 2, 3, 4, 6, 8, ... up to the slots themselves. */
function next(sequences: number, slots: number): number {
  if (sequences >= slots) return sequences + 1;
  return Math.min(slots, sequences < 4 ? sequences + 1 : Math.ceil(sequences * 1.5));
}

const regionOf = (node: number): string => `bench-${node}`;

function inRegionsOfTheirOwn(operators: readonly OperatorSpec[]): OperatorSpec[] {
  let node = 0;
  return operators.map((operator) => ({
    ...operator, regions: Array.from({ length: operator.count }, () => ({ region: regionOf(node++), share: 1 / operator.count })),
  }));
}
