import { z } from "zod";
import { estimate, experimentHead, experimentJsonSchema } from "./experiment.ts";
import { namedMetric, searchParameter } from "./search.ts";

/** Names this kind of document, whatever its version. */
export const EQUILIBRIUM_SCHEMA = "infernet-lab/equilibrium-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const EQUILIBRIUM_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(1024);
const probability = z.number().min(0).max(1);

/** What somebody would gain, and where the truth lies, at once for all that are listed. */
const bounded = {
  mean: z.number().nullable().describe("Over fresh runs, each compared with the same random numbers."),
  atLeast: z.number().nullable(),
  atMost: z.number().nullable().describe("With `atLeast`: holds the true mean, at once for all strategies of all players, with the method's confidence (Student's t, Bonferroni)."),
};

const deviation = z.strictObject({
  strategy: count.describe("Index into the player's strategies."),
  payoff: estimate.describe("With this strategy, the others as they are."),
  gain: z.strictObject(bounded).describe("Over what the player has; below 0: a loss."),
});

export const equilibriumPlayer = z.strictObject({
  name,
  payoff: namedMetric,
  parameters: z.array(searchParameter).describe("What it decides."),
  strategies: z.array(z.strictObject({ name, values: z.array(z.string()), numbers: z.array(z.number().nullable()) })).describe("Its grid: every combination of its values."),
  plays: z.array(z.strictObject({ strategy: count, probability })).describe("What it does at the end: one strategy, or several where it mixes."),
  gets: estimate.nullable().describe("Its payoff then, over fresh runs; null where none were played."),
  deviations: z.array(deviation).describe("Every strategy of its grid."),
  regret: z.strictObject({ mean: z.number().min(0).nullable(), atLeast: z.number().min(0).nullable(), atMost: z.number().min(0).nullable(), best: count.nullable().describe("The strategy that would gain most; null where none would.") }).nullable()
    .describe("The most it would gain by another strategy of its grid, the others as they are."),
});
export type EquilibriumPlayer = z.infer<typeof equilibriumPlayer>;

/** What do operators do who answer each other? */
export const equilibriumReport = z.strictObject({
  schema: z.literal(EQUILIBRIUM_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  ...experimentHead,
  headline: z.string().max(4096).describe("The answer in a sentence."),
  findings: z.array(z.string().max(4096)),
  method: z.strictObject({ moves: z.enum(["in turn", "together"]), damping: probability, start: z.enum(["lowest", "middle", "highest"]), rounds: count, replications: count, fresh: count, confidence: probability, budget: count }),
  kind: z.enum(["pure", "mixed", "cycle", "unsettled"]).describe("pure: nobody wants to move. mixed: best answers went in circles; a mixture nearly in equilibrium. cycle: they went in circles, and no mixture was found. unsettled: rounds or runs were at their end before."),
  players: z.array(equilibriumPlayer),
  steps: z
    .array(z.strictObject({ round: count, mover: name.nullable().describe("Null at the start, and where all moved at once."), strategies: z.array(count).describe("Of each player, after the move."), gain: z.number().nullable().describe("What the mover expected to gain, in the runs of the search.") }))
    .describe("How it came there."),
  answers: z
    .array(z.strictObject({ player: name, to: z.array(count).describe("What each player did by then, the one who answers included."), best: count }))
    .describe("Best answers that were looked for, in order: points of the best-response curves."),
  profiles: count.describe("Profiles of strategies that were played in looking for it."),
  regret: z
    .strictObject({ mean: z.number().min(0).nullable(), atLeast: z.number().min(0).nullable(), atMost: z.number().min(0).nullable(), player: name.nullable(), strategy: count.nullable() })
    .nullable()
    .describe("The most that any player would gain by leaving alone: the epsilon of an epsilon-equilibrium on these grids. Null where no fresh runs were played."),
  figures: z.array(z.strictObject({ metric: namedMetric, estimate })).describe("The market at the end, over fresh runs; empty for mixtures."),
});
export type EquilibriumReport = z.infer<typeof equilibriumReport>;

export function equilibriumJsonSchema(): unknown {
  return experimentJsonSchema(equilibriumReport, "equilibrium-report", EQUILIBRIUM_VERSION, "Infernet Lab equilibrium report");
}
