import { z } from "zod";
import { label } from "../text.ts";
import { count, modelName, msat, peerId, region, sequenceNumber, tokens } from "./scalars.ts";
import { priceSheet } from "./prices.ts";

const tokensPerS = z.number().positive().max(1e9);

/** One model that a node serves, and at what price. */
export const modelOffer = z.strictObject({
  model: modelName,
  contextTokensMax: tokens.describe("longest context (prompt and output together) that one job may use"),
  prices: priceSheet,
  prefillTokensPerS: tokensPerS.describe("prompt tokens a second on an otherwise idle node: the operator's own claim"),
  decodeTokensPerS: tokensPerS.describe("output tokens a second on an otherwise idle node: the operator's own claim"),
}).meta({ id: "ModelOffer", description: "one model that a node serves, and at what price" });
export type ModelOffer = z.infer<typeof modelOffer>;

/** node -> router: what the node is and offers. A higher incarnation replaces a lower one: the node restarted. */
export const descriptor = z.strictObject({
  type: z.literal("descriptor"),
  node: peerId,
  incarnation: count.describe("grows with every restart of the node"),
  region,
  machine: label(128).describe("hardware, for people"),
  engine: label(64).describe("software that runs the models, for people"),
  slots: z.int().min(1).max(65_536).describe("jobs that run at once"),
  queueLimit: count.describe("jobs that may wait at the node beyond those running"),
  kvTokensMax: tokens.describe("tokens of context that the KV cache holds, all running jobs together"),
  stakeMsat: msat.describe("what the operator has put up as stake"),
  attested: z.boolean().describe("whether hardware and software are attested"),
  offers: z.array(modelOffer).min(1).max(64),
}).meta({ id: "Descriptor", description: "node -> router: what the node is and offers" });
export type Descriptor = z.infer<typeof descriptor>;

const ppm = z.int().min(0).max(1_000_000);

/** How busy a node's machine is, on average since the heartbeat before: millionths, 1,000,000 for all of it. */
export const utilisation = z.strictObject({
  cpuPpm: ppm.describe("of all processor threads, in millionths"),
  gpuPpm: ppm.optional().describe("of all graphics processors, in millionths; absent where there is none or it cannot be read"),
  memoryPpm: ppm.describe("of the machine's memory, in millionths"),
}).meta({ id: "Utilisation", description: "how busy a node's machine is, on average since the heartbeat before" });
export type Utilisation = z.infer<typeof utilisation>;

/** node -> router: still here, and how busy. */
export const heartbeat = z.strictObject({
  type: z.literal("heartbeat"),
  incarnation: count.describe("as in the node's descriptor"),
  sequence: sequenceNumber.describe("grows with every heartbeat of an incarnation; a lower one is out of date"),
  running: count.describe("jobs that run"),
  waiting: count.describe("jobs that wait at the node"),
  kvTokensUsed: tokens.describe("tokens in the KV cache"),
  accepting: z.boolean().describe("false: the node takes no further job, for instance before it shuts down"),
  utilisation: utilisation.optional().describe("of the machine, where the node measures it"),
}).meta({ id: "Heartbeat", description: "node -> router: still here, and how busy" });
export type Heartbeat = z.infer<typeof heartbeat>;
