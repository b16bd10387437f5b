import { z } from "zod";
import { estimate, experimentHead, experimentJsonSchema, interval } from "./experiment.ts";

/** Names this kind of document, whatever its version. */
export const SEARCH_SCHEMA = "infernet-lab/search-report";
/** `major.minor`: minor rises when fields are added, major when the meaning of one changes. */
export const SEARCH_VERSION = "1.0";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(1024);
const probability = z.number().min(0).max(1);
const figureUnit = z.enum(["us", "msat", "msatPerMtok", "msatPerHour", "share", "perS", "kwh", "tokens", "count", "number"]);

/** A metric that an experiment is about. */
export const namedMetric = z.strictObject({
  id: name.describe("As scenarios and the command line name it."),
  path: name.describe("Of the figure in report.json."),
  label: name,
  unit: figureUnit.describe("Of all values of the metric; us: microseconds, msat: millisatoshi."),
});

const constraint = z.strictObject({ metric: namedMetric, sense: z.enum(["at least", "at most"]), bound: z.number() });

/** A path of the scenario and what was tried there. */
export const searchParameter = z.strictObject({
  path: name,
  unit: z.string().max(64).nullable().describe("Of the numbers; null where values are no numbers of one unit."),
  values: z.array(z.string()).nullable().describe("As they stand in the scenario; null for a range."),
  from: z.number().nullable(),
  to: z.number().nullable(),
  step: z.string().max(64).nullable().describe("Distance of neighbouring values, or what values of a range are rounded to; null where they are not evenly spaced."),
});
export type SearchParameter = z.infer<typeof searchParameter>;

export const searchAlternative = z.strictObject({
  name: name.describe("Its values, in the order of `parameters`."),
  values: z.array(z.string()),
  numbers: z.array(z.number().nullable()).describe("The same as numbers of the parameter's unit; null where they are none."),
  search: estimate.describe("Over the runs of the search. Biased towards the best of what looked best: for values see `fresh`."),
  eliminated: z.strictObject({ after: count.describe("Runs of each alternative by then."), by: name }).nullable(),
  setAside: z.string().max(2048).nullable().describe("Why it could not be chosen; null elsewhere."),
  fresh: estimate.nullable().describe("Over runs with random numbers that had no part in the choice; null where it was not played again."),
  lead: z
    .strictObject({
      mean: z.number().describe("By how much it is better than the chosen one, run by run with the same random numbers; below 0: worse."),
      interval: interval.nullable(),
      atMost: z.number().nullable().describe("Upper bound, at once for all alternatives that were played again (Bonferroni)."),
    })
    .nullable(),
  constraints: z.array(z.strictObject({ search: estimate, fresh: estimate.nullable(), kept: z.enum(["yes", "probably", "probably not", "no"]).nullable().describe("By the runs with fresh random numbers: yes and no where the interval says so.") })),
});
export type SearchAlternative = z.infer<typeof searchAlternative>;

/** Which value is best? */
export const searchReport = z.strictObject({
  schema: z.literal(SEARCH_SCHEMA),
  schemaVersion: z.string().regex(/^1\.\d+$/),
  ...experimentHead,
  headline: z.string().max(2048).describe("The answer in a sentence."),
  findings: z.array(z.string().max(2048)),
  goal: z.strictObject({ direction: z.enum(["maximise", "minimise"]), metric: namedMetric, constraints: z.array(constraint) }),
  parameters: z.array(searchParameter),
  method: z.strictObject({
    name: z.enum(["kn", "ocba", "direct"]),
    confidence: probability,
    indifference: z.strictObject({ amount: z.number().min(0), share: probability.nullable().describe("Where it was stated as a share of the metric's value.") }),
    first: count, replications: count, finalists: count, fresh: count, budget: count,
  }),
  alternatives: z.array(searchAlternative).describe("Of a list, all in its order; of ranges, the finalists, the best of the search first."),
  chosen: count.nullable().describe("Index of the chosen alternative; null where none could be."),
  guarantee: z
    .strictObject({ kind: z.enum(["guaranteed", "approximate", "none"]), probability: probability.nullable(), text: z.string().max(2048) })
    .describe("What is promised of the choice. guaranteed: the best of `alternatives` is chosen with this probability if it is ahead by the indifference. approximate: an estimate of that."),
  betterByAtMost: z.number().min(0).nullable().describe("With the method's confidence, no other alternative that was played again is better than the chosen one by more than this."),
  path: z
    .array(z.strictObject({ numbers: z.array(z.number()), mean: z.number().nullable(), runs: count }))
    .nullable()
    .describe("Points of ranges in the order in which they were tried, with their means over the same random numbers; null for lists."),
  race: z
    .array(z.strictObject({ runs: count, means: z.array(z.number().nullable()) }))
    .describe("Means of the alternatives still in the race after so many runs of each, at a few moments; null for those that are out."),
});
export type SearchReport = z.infer<typeof searchReport>;

export function searchJsonSchema(): unknown {
  return experimentJsonSchema(searchReport, "search-report", SEARCH_VERSION, "Infernet Lab search report");
}
