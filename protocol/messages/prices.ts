import { z } from "zod";
import { msat } from "./scalars.ts";

/** What a node charges: input and output tokens apart, and a fixed part per job. `amountMsat` applies it. */
export const priceSheet = z.strictObject({
  inputMsatPerMtok: msat.describe("msat per million input tokens"),
  outputMsatPerMtok: msat.describe("msat per million output tokens"),
  fixedMsat: msat.describe("msat per job, whatever its length"),
}).meta({ id: "PriceSheet", description: "what a node charges; the job's amount is fixed + floor((input x inputPrice + output x outputPrice) / 1000000)" });
export type PriceSheet = z.infer<typeof priceSheet>;

/** The router's charge on a job: a share of the job's amount in basis points, plus a flat part. `feeMsat` applies it. */
export const feeTerms = z.strictObject({
  shareBps: z.int().min(0).max(10_000).describe("share of the job's amount in basis points (hundredths of a percent)"),
  flatMsat: msat.describe("msat per job"),
  minMsat: msat.optional().describe("least fee per job, msat; absent: 0"),
  maxMsat: msat.optional().describe("greatest fee per job, msat; absent: no bound"),
  bearer: z.enum(["client", "operator"]).optional().describe("client (where absent): the fee comes on top of the job's amount; operator: the node pays it out of the amount, and it is never more than that"),
}).meta({ id: "FeeTerms", description: "what the router charges; the fee is flat + floor(amount x share / 10000), not below min and not above max" });
export type FeeTerms = z.infer<typeof feeTerms>;
