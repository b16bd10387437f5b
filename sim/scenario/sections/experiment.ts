import type { z } from "zod";
import type { ClassNames, Metric } from "../../../protocol/result/metrics.ts";
import type { Finding } from "../../../input/problem.ts";
import type { FieldLookup } from "../range.ts";
import { armsShape, resolveArms } from "./arms.ts";
import type { ArmsSpec } from "./arms.ts";
import { metricsShape, resolveMetrics } from "./metrics.ts";
import { replicationsShape, resolveReplications } from "./replications.ts";
import type { ReplicationsSpec } from "./replications.ts";
import { resolveSensitivity, sensitivityShape } from "./sensitivity.ts";
import type { SensitivitySpec } from "./sensitivity.ts";
import { equilibriumShape, resolveEquilibrium } from "./equilibrium.ts";
import type { EquilibriumSpec } from "./equilibrium.ts";
import { resolveSearch, searchShape } from "./search.ts";
import type { SearchSpec } from "./search.ts";
import { resolveSweep, sweepShape } from "./sweep.ts";
import type { SweepSpec } from "./sweep.ts";
import { resolveTwin, twinShape } from "./twin.ts";
import type { TwinSpec } from "./twin.ts";

/**
 * What a scenario says of the experiments that are made with it: keys of its own at the top, each in a section file of its own.
 * They are no part of the market: one run plays the scenario as if they were not there, and its hash does not depend on them.
 */
export const experimentShape = {
  ...replicationsShape,
  ...metricsShape,
  ...armsShape,
  ...sweepShape,
  ...sensitivityShape,
  ...searchShape,
  ...equilibriumShape,
  ...twinShape,
};

/** What the schema lets through. */
export type ExperimentInput = z.output<z.ZodObject<typeof experimentShape>>;

/** The experiments of a scenario, ready to be planned. */
export interface ExperimentSpec {
  /** How often the market is played; null where the scenario does not say. */
  readonly replications: ReplicationsSpec | null;
  /** Figures that answer the scenario's question; null where it does not say. */
  readonly metrics: readonly Metric[] | null;
  /** Null where the scenario has none. */
  readonly arms: ArmsSpec | null;
  readonly sweep: SweepSpec | null;
  readonly sensitivity: SensitivitySpec | null;
  readonly search: SearchSpec | null;
  readonly equilibrium: EquilibriumSpec | null;
  /** How it is played for real beside the simulation; null where the scenario does not say. */
  readonly twin: TwinSpec | null;
}

/** Classes by their names, as scenarios have them. */
interface Classes {
  readonly operators: readonly { readonly name: string }[];
  readonly clients: readonly { readonly name: string }[];
}

/** What a scenario's experiments come to. @param finding told of what does not fit @param fieldOf looks fields of the market up */
export function resolveExperiment(input: ExperimentInput & Classes, finding: (finding: Finding) => void, fieldOf: FieldLookup): ExperimentSpec {
  const classes: ClassNames = { clients: input.clients.map(({ name }) => name), operators: input.operators.map(({ name }) => name) };
  const metrics = resolveMetrics(input, classes, finding);
  return {
    replications: resolveReplications(input, classes, finding),
    metrics,
    arms: resolveArms(input, finding),
    sweep: resolveSweep(input, classes, finding, fieldOf),
    sensitivity: resolveSensitivity(input, metrics, classes, finding, fieldOf),
    search: resolveSearch(input.search, classes, finding, fieldOf),
    equilibrium: resolveEquilibrium(input.equilibrium, classes, finding, fieldOf),
    twin: resolveTwin(input.twin, input.operators.map(({ name }) => name), finding),
  };
}
