import { z } from "zod";
import { msat } from "./scalars.ts";

/** How a client wants a node chosen among those that may serve its job; a router that gets none follows its own policy. */
export const choiceRule = z.discriminatedUnion("rule", [
  z.strictObject({ rule: z.literal("price").describe("the lowest price") }),
  z.strictObject({ rule: z.literal("score").describe("the highest score: price, latency, load and reliability alike") }),
  z.strictObject({
    rule: z.literal("logit").describe("drawn with odds exp(-price / scale), the router's fee included"),
    scaleMsat: z.number().positive().max(1e15).describe("price difference that changes the odds by a factor of e"),
    outsideMsat: msat.optional().describe("price of doing without, drawn with the same odds; absent: always one of the nodes"),
  }),
]).meta({ id: "ChoiceRule", description: "how a node is to be chosen on the client's behalf" });
export type ChoiceRule = z.infer<typeof choiceRule>;
