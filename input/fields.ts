import { z } from "zod";
import { alternatives, checkWhole, describeDimension, isWhole, needsNoUnit, parseQuantity, quantityExamples, quantityPattern, toNumber } from "./units.ts";
import type { Dimension, QuantityProblem } from "./units.ts";

/** A quantity as it stands in a scenario: a number with its unit, or a bare number where the dimension has none. */
export type QuantityInput = string | number;

/** What a custom issue carries for the error message. */
export interface IssueParams {
  readonly found: string;
  readonly allowed: string;
  readonly suggestion?: string;
}

export interface QuantityOptions {
  /** Zero is not allowed. */
  readonly positive?: boolean;
  /** The largest value, in base units, and how to name it. */
  readonly max?: readonly [number, string];
  /** Fractions of the base unit are allowed even where the dimension is counted in whole units. */
  readonly real?: boolean;
  /** Words that stand for a value. */
  readonly words?: readonly string[];
}

/** A quantity of one dimension. `id` names it in the JSON Schema; one id per combination of dimension and options. */
export function quantity(id: string, dimension: Dimension, options: QuantityOptions = {}): z.ZodType<QuantityInput, QuantityInput> {
  const { positive = false, words = [] } = options;
  const description = `${describeDimension(dimension)}${positive ? ", above 0" : ""}${words.length > 0 ? `, or ${alternatives(words)}` : ""}`;
  const bare = needsNoUnit(dimension)
    ? { type: isWhole(dimension) && options.real !== true ? "integer" : "number", ...(positive ? { exclusiveMinimum: 0 } : { minimum: 0 }), ...(options.max === undefined ? {} : { maximum: options.max[0] }) }
    : { const: 0 };
  const anyOf = [
    { type: "string", pattern: quantityPattern(dimension, positive) },
    ...(positive && !needsNoUnit(dimension) ? [] : [bare]),
    ...(words.length > 0 ? [{ type: "string", enum: words }] : []),
  ];
  const schema = z.any().superRefine((value, context) => {
    const problem = quantityProblem(dimension, value, options, description);
    // A branch that may go on counts as a match of its union, and would hide the others' issues.
    if (problem !== null) context.addIssue({ code: "custom", continue: false, message: `${problem.found}; allowed: ${problem.allowed}`, params: { ...problem } });
  }).meta({ id, title: description, anyOf, examples: [...quantityExamples(dimension), ...words] });
  return schema as unknown as z.ZodType<QuantityInput, QuantityInput>;
}

function quantityProblem(dimension: Dimension, value: unknown, options: QuantityOptions, description: string): QuantityProblem | null {
  if (typeof value === "string" && options.words?.includes(value) === true) return null;
  const parsed = parseQuantity(dimension, value);
  if ("found" in parsed) return parsed.allowed.startsWith(describeDimension(dimension))
    ? { ...parsed, allowed: description + parsed.allowed.slice(describeDimension(dimension).length) } : parsed;
  if (options.positive === true && parsed.numerator === 0n) return { found: String(value), allowed: description };
  if (options.max !== undefined && toNumber(parsed) > options.max[0]) return { found: String(value), allowed: `at most ${options.max[1]}` };
  return isWhole(dimension) && options.real !== true ? checkWhole(dimension, parsed, value) : null;
}

type Tags = Readonly<Record<string, z.ZodType>>;
type OneOf<T extends Tags> = { [K in keyof T]: { [P in K]: z.output<T[K]> } }[keyof T];
type OneIn<T extends Tags> = { [K in keyof T]: { [P in K]: z.input<T[K]> } }[keyof T];

/** A map with exactly one of these keys: `{poisson: {...}}`. `words` may stand alone, without settings. */
export function oneOf<T extends Tags, const W extends string = never>(tags: T, words: readonly W[] = []): z.ZodType<OneOf<T> | W, OneIn<T> | W> {
  const maps = Object.entries(tags).map(([tag, settings]) => z.strictObject({ [tag]: settings }));
  const options = words.length > 0 ? [z.enum(words), ...maps] : maps;
  return z.union(options) as unknown as z.ZodType<OneOf<T> | W, OneIn<T> | W>;
}

const positiveNumber = z.number().gt(0);

/** A distribution as it stands in a scenario: a quantity (always that value), or a map with one distribution's name. */
export type DistributionInput =
  | QuantityInput
  | { readonly uniform: { readonly min: QuantityInput; readonly max: QuantityInput } }
  | { readonly exponential: { readonly mean: QuantityInput } }
  | { readonly gamma: { readonly mean: QuantityInput; readonly cv: number } }
  | { readonly weibull: { readonly mean: QuantityInput; readonly cv: number } }
  | { readonly lognormal: { readonly mean: QuantityInput; readonly cv: number } | { readonly median: QuantityInput; readonly sigma: number } }
  | { readonly pareto: { readonly min: QuantityInput; readonly shape: number; readonly max?: QuantityInput | undefined } }
  | { readonly normal: { readonly mean: QuantityInput; readonly sd: QuantityInput; readonly min?: QuantityInput | undefined; readonly max?: QuantityInput | undefined } }
  | { readonly hyperexponential: { readonly mean: QuantityInput; readonly cv: number } }
  | { readonly erlang: { readonly mean: QuantityInput; readonly stages: number } }
  | { readonly quantiles: readonly (readonly [number, QuantityInput])[] }
  | { readonly values: readonly QuantityInput[] }
  | { readonly mixture: readonly { readonly weight: number; readonly of: DistributionInput }[] }
  | { readonly clip: { readonly of: DistributionInput; readonly min?: QuantityInput | undefined; readonly max?: QuantityInput | undefined } };

/**
 * Distributions of one dimension.
 * @param id names it in the JSON Schema.
 * @param constant what may stand for the whole distribution.
 * @param parameter a mean, a bound and the like: any real number of base units.
 */
export function distribution(id: string, constant: z.ZodType<QuantityInput, QuantityInput>, parameter: z.ZodType<QuantityInput, QuantityInput>, positive: z.ZodType<QuantityInput, QuantityInput>): z.ZodType<DistributionInput, DistributionInput> {
  const mean = positive.describe("Mean.");
  const cv = positiveNumber.describe("Coefficient of variation: standard deviation divided by mean.");
  const min = parameter.describe("Lower bound.");
  const max = positive.describe("Upper bound.");
  const schema: z.ZodType<DistributionInput, DistributionInput> = z.union([
    constant,
    oneOf({
      uniform: z.strictObject({ min, max }).describe("Every value between two bounds equally likely."),
      exponential: z.strictObject({ mean }).describe("Exponential (CV 1)."),
      gamma: z.strictObject({ mean, cv }).describe("Gamma."),
      weibull: z.strictObject({ mean, cv }).describe("Weibull."),
      lognormal: z.union([
        z.strictObject({ mean, cv }),
        z.strictObject({ median: positive.describe("Median."), sigma: positiveNumber.describe("Standard deviation of the logarithm.") }),
      ]).describe("Lognormal, by mean and CV or by median and sigma."),
      pareto: z.strictObject({ min: positive.describe("Smallest value."), shape: positiveNumber.describe("Tail exponent; smaller: heavier tail."), max: max.optional() }).describe("Pareto, truncated at max where given."),
      normal: z.strictObject({ mean: parameter.describe("Mean before truncation."), sd: positive.describe("Standard deviation before truncation."), min: min.optional(), max: max.optional() }).describe("Normal, truncated at min (0 unless given) and max."),
      hyperexponential: z.strictObject({ mean, cv: z.number().min(1).describe("Coefficient of variation, at least 1.") }).describe("Two exponential phases with balanced means."),
      erlang: z.strictObject({ mean, stages: z.int().min(1).max(1000).describe("Exponential stages in a row.") }).describe("Erlang."),
      quantiles: z.array(z.tuple([z.number().min(0).max(1), parameter])).min(2).max(1000).describe("Empirical quantiles, linear in between: a list of [share, value] from share 0 to share 1."),
      values: z.array(parameter).min(1).max(100_000).describe("Each of these values equally likely."),
      mixture: z.array(z.strictObject({
        weight: positiveNumber.describe("Share of draws, relative to the other weights."),
        get of() { return schema.describe("The distribution drawn from."); },
      })).min(1).max(100).describe("One of several distributions at each draw."),
      clip: z.strictObject({
        get of() { return schema.describe("The distribution."); },
        min: min.optional(), max: max.optional(),
      }).describe("Values below min count as min, above max as max."),
    }),
  ]).meta({ id }) as unknown as z.ZodType<DistributionInput, DistributionInput>;
  return schema;
}
