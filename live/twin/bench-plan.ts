import type { JobRequest } from "../../protocol/messages.ts";
import { sha256Hex } from "../../protocol/canonical.ts";
import type { OperatorSpec, Scenario } from "../../sim/scenario/scenario.ts";
import { unlimitedMsat } from "../../sim/scenario/scenario.ts";
import { planClients } from "../../sim/world/client-plan.ts";
import { publicKeyOf } from "../../sim/world/identity.ts";
import { identityOf } from "../../sim/world/participants.ts";
import type { PlannedJob } from "../../sim/world/planned-jobs.ts";
import type { NodePlan } from "../../sim/world/supply.ts";
import type { Submission } from "./part.ts";

/** What a stage of the bench run measures. */
export type BenchStage =
  /** One job alone in the market: its prompt's time. */
  | { readonly kind: "prompt"; readonly node: number; readonly tokens: number }
  /** So many jobs at once at one node, of equal lengths: the time of a step. */
  | { readonly kind: "steps"; readonly node: number; readonly sequences: number; readonly inputTokens: number; readonly outputTokens: number }
  /** One job at each of so many nodes, at times that overlap. */
  | { readonly kind: "busy"; readonly node: number; readonly busy: number }
  /** Nothing is measured: files get into memory, code gets compiled. */
  | { readonly kind: "warm-up"; readonly node: number };

/** A bench run through the whole market: jobs whose nodes are known beforehand. */
export interface BenchPlan {
  /** The scenario with every node in a region of its own, so that jobs can be sent to it. */
  readonly scenario: Scenario;
  readonly what: readonly BenchStage[];
  readonly stages: readonly (readonly Submission[])[];
  /** The first stage of each round; a round measures everything once. */
  readonly rounds: readonly number[];
  /** Node that each job of a stage goes to. */
  readonly jobs: ReadonlyMap<string, { readonly stage: number; readonly node: number }>;
}

/** How often, in a round, each number of nodes is made busy at once. */
const BUSY_TIMES = 2;

export interface BenchSize {
  /** How often each measurement is made. */
  readonly repetitions: number;
  /** How long a measured stretch of decoding should last, about, s. */
  readonly stretchS: number;
}

/**
 * Plans what is to be measured of the nodes: prompts over the workload's lengths, decode steps over batch size and context,
 * and how much the nodes slow each other down. None of the workload's jobs is among it.
 * @param plans nodes of the scenario, whose advertised speeds say how long a stretch must be.
 */
export function planBench(scenario: Scenario, seed: number, plans: readonly NodePlan[], workload: readonly PlannedJob[], { repetitions, stretchS }: BenchSize): BenchPlan {
  const apart: Scenario = { ...scenario, name: `${scenario.name}-bench`, operators: inRegionsOfTheirOwn(scenario.operators) };
  const client = publicKeyOf(seed, identityOf("client", planClients(scenario)[0]!.entity));
  const inputs = workload.map(({ request }) => request.inputTokens).sort((a, b) => a - b);
  const outputs = workload.map(({ request, outputTokens }) => Math.min(outputTokens, request.maxOutputTokens)).sort((a, b) => a - b);
  const at = (sorted: readonly number[], p: number): number => sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? 1;
  const lengths = [...new Set([0, 0.1, 0.3, 0.5, 0.7, 0.9, 1].map((p) => at(inputs, p)))];
  const [low, high] = [at(inputs, 0.1), at(inputs, 0.9)];

  const what: BenchStage[] = plans.map((_, node) => ({ kind: "warm-up", node }));
  const rounds: number[] = [];
  for (let round = 0; round < repetitions; round++) {
    rounds.push(what.length);
    plans.forEach(({ descriptor }, node) => {
      for (const tokens of lengths) what.push({ kind: "prompt", node, tokens });
      const { decodeTokensPerS, contextTokensMax } = descriptor.offers[0]!;
      const steps = Math.max(8, Math.min(Math.round(stretchS * decodeTokensPerS), 2 * at(outputs, 1), contextTokensMax - high - 2));
      for (let sequences = 1; sequences <= descriptor.slots; sequences = next(sequences, descriptor.slots)) {
        for (const inputTokens of new Set([low, high])) what.push({ kind: "steps", node, sequences, inputTokens, outputTokens: steps });
      }
      for (let busy = 2; busy <= plans.length; busy++) for (let time = 0; time < BUSY_TIMES; time++) what.push({ kind: "busy", node, busy });
    });
  }

  const jobs = new Map<string, { stage: number; node: number }>();
  const job = (stage: number, node: number, atUs: number, inputTokens: number, outputTokens: number): Submission => {
    const jobId = `bench-${jobs.size}`;
    jobs.set(jobId, { stage, node });
    const request: JobRequest = {
      jobId, client, model: plans[node]!.descriptor.offers[0]!.model, inputTokens, maxOutputTokens: outputTokens, maxPriceMsat: unlimitedMsat, latencyGoal: {}, patienceUs: 600_000_000, priority: 0,
      region: scenario.router.region, allowedRegions: [regionOf(node)], minStakeMsat: 0, privacy: "any", verification: "none", promptHash: sha256Hex(""),
    };
    return { atUs, client: 0, request };
  };
  const typical = { input: at(inputs, 0.5), output: at(outputs, 0.5) };
  const stages = what.map((one, stage): Submission[] => {
    switch (one.kind) {
      case "warm-up": return Array.from({ length: plans[one.node]!.descriptor.slots }, () => job(stage, one.node, stage === 0 ? 300_000 : 0, typical.input, typical.output));
      case "prompt": return [job(stage, one.node, 0, one.tokens, 2)];
      case "steps": return Array.from({ length: one.sequences }, () => job(stage, one.node, 0, one.inputTokens, one.outputTokens));
      case "busy": return Array.from({ length: one.busy }, (_, i) => {
        const node = (one.node + i) % plans.length;
        // Jobs with prompt and output in the workload's proportion, longer ones at faster nodes, so that they overlap as long as they
        // can. What does not overlap is told apart in the evaluation.
        const { contextTokensMax, decodeTokensPerS } = plans[node]!.descriptor.offers[0]!;
        const slowest = Math.min(...plans.map(({ descriptor }) => descriptor.offers[0]!.decodeTokensPerS));
        const times = Math.max(1, Math.min(Math.round(decodeTokensPerS / slowest), Math.floor((contextTokensMax - 2) / (typical.input + typical.output))));
        return job(stage, node, 0, typical.input * times, typical.output * times);
      });
    }
  });
  return { scenario: apart, what, stages, rounds, jobs };
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
    ...operator, queueLimit: Math.max(operator.queueLimit, 64), regions: Array.from({ length: operator.count }, () => ({ region: regionOf(node++), share: 1 / operator.count })),
  }));
}
