import { z } from "zod";
import { digest } from "../canonical.ts";

/** Parts that the reports of all experiments share. */

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(256);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Where the true value lies, with this confidence, as far as chance between runs goes. */
export const interval = z
  .strictObject({ confidence: z.number().gt(0).lt(1), low: z.number(), high: z.number() })
  .describe("Covers the chance between runs, and nothing of what the scenario may be wrong by.");
export type ExperimentInterval = z.infer<typeof interval>;

/** A figure over several runs. */
export const estimate = z
  .strictObject({
    runs: count.describe("Runs in which the figure is defined; the estimate rests on these."),
    mean: z.number().nullable().describe("Over those runs; null where there is none."),
    sd: z.number().nullable().describe("Between runs, divisor n - 1; null below two."),
    min: z.number().nullable(),
    max: z.number().nullable(),
    interval: interval.nullable().describe("Of the mean, Student's t; null below two runs."),
  })
  .describe("A figure over several runs.");
export type Estimate = z.infer<typeof estimate>;

/** A run that gave no figures. */
export const failedRun = z.strictObject({ name, seed: count, error: z.string().max(2048) });
export type FailedRun = z.infer<typeof failedRun>;

/** Failed runs that a report names; it counts the others. */
export const FAILURES_NAMED = 100;

/** How many runs an experiment rests on. */
export const runTally = z
  .strictObject({
    played: count.describe("Failed ones included."),
    failed: count,
    failures: z.array(failedRun).max(FAILURES_NAMED).describe(`The first ${FAILURES_NAMED}; runs.csv has them all.`),
  })
  .describe("Runs played. Failed ones have no figures, and no part in any estimate.");
export type RunTally = z.infer<typeof runTally>;

/** Where an experiment's results come from. */
export const experimentProvenance = z.strictObject({
  lab: z.strictObject({ name, version: z.string().max(64) }),
  scenario: z.strictObject({
    name,
    question: z.string(),
    hash: sha256.describe("SHA-256 of the canonical JSON of `resolved`."),
    resolved: z.json().describe("The market that the experiment is about, after --set, with every default filled in."),
  }),
  seed: count.describe("The experiment's; the runs' seeds follow from it."),
  sets: z.array(z.string()).describe("Changes made on the command line, as path=value."),
  interrupted: z.literal(true).optional().describe("Stopped before its end: the report rests on the runs that were over. Absent otherwise."),
  resultsDigest: sha256.describe("SHA-256 of the canonical JSON of everything outside `provenance`. Same scenario, seed and version: same digest, for any number of workers."),
});
export type ExperimentProvenance = z.infer<typeof experimentProvenance>;

/** What the head of each experiment's report says: which document this is, where it comes from, and how many runs it rests on. */
export const experimentHead = { provenance: experimentProvenance, runs: runTally } as const;

/** SHA-256 of the canonical JSON of everything outside `provenance`, 64 hexadecimal digits. */
export function experimentDigest(report: object): string {
  const { provenance: _, ...results } = report as { provenance?: unknown };
  return digest(results);
}

/** The JSON Schema (draft 2020-12) of an experiment's report. @param kind such as `replications-report` */
export function experimentJsonSchema(schema: z.ZodType, kind: string, version: string, title: string): unknown {
  return { ...z.toJSONSchema(schema, { target: "draft-2020-12", reused: "inline" }), $id: `urn:infernet-lab:${kind}:${version}`, title };
}
