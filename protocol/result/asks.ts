import { z } from "zod";

const figures = z.array(z.number().nullable());
const range = z.strictObject({
  min: figures.describe("The least that a node of the class asked at any time in the window."),
  mean: figures.describe("Over nodes and time."),
  max: figures,
});

/** What operators asked, over the windows of `overTime`. Nodes count while they are up; of several models the first. */
export const asks = z.strictObject({
  operatorClasses: z.array(z.strictObject({
    name: z.string().min(1).max(128),
    strategy: z.string().min(1).max(32),
    changes: z.int().min(0).describe("How often its nodes changed prices or quantities, over the whole run."),
    inputMsatPerMtok: range,
    outputMsatPerMtok: range,
    fixedMsat: range,
    slots: figures.describe("Slots that the class offers, mean over the window."),
    meanPrices: z.strictObject({ inputMsatPerMtok: z.number().nullable(), outputMsatPerMtok: z.number().nullable(), fixedMsat: z.number().nullable() }).describe("Over nodes and the measured interval."),
    meanSlots: z.number().nullable().describe("Over the measured interval."),
    choices: z.array(z.strictObject({
      multiple: z.number().min(0).describe("Of the opening prices."),
      share: z.number().min(0).max(1).describe("Of the nodes' time in the measured interval."),
    })).describe("For learners: how they spread over the prices of their grid."),
  })),
}).describe("What operators asked over time.");
export type AsksReport = z.infer<typeof asks>;
