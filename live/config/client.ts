import { z } from "zod";
import { money, positiveDuration, positiveTokens } from "../../input/quantities.ts";
import type { SettlementPlan } from "../../scheduler/settlement/plan.ts";
import { file, model, readRouter, readSettlement, readWallet, region, router, type RouterAddress, settlement, wallet, type WalletSettings } from "./fields.ts";
import type { ConfigKind, Reading } from "./read.ts";
import { readConfigFile } from "./read.ts";

const schema = z.strictObject({
  key: file.default("client.key").describe("File of the secret key, mode 0600 (`infernet keygen --out client.key`)."),
  router: router.describe("The router to post jobs to."),
  wallet: wallet.default("none").describe("Where the money comes from; `none`: only what is free can be had."),
  region: region.default("eu").describe("Where the client is."),
  model: model.optional().describe("The model asked for where the command does not name one."),
  maxOutputTokens: positiveTokens.default(256).describe("Most output tokens of a job, where the command does not say."),
  maxPrice: money.default("100 sat").describe("The most that a job may cost in all, the router's fee included, where the command does not say."),
  patience: positiveDuration.default("2min").describe("How long the client waits for a result before it gives the job up."),
  settlement,
  refundWithin: positiveDuration.default("1min").describe("How long after a job's end the client waits for what it paid too much, before it writes it off and disputes."),
  paymentAttempts: z.int().min(1).max(20).default(3).describe("How often a payment is tried."),
});

/** A client's settings, in base units. */
export interface ClientConfig {
  readonly keyFile: string;
  readonly router: RouterAddress;
  readonly wallet: WalletSettings;
  readonly region: string;
  readonly model: string | undefined;
  readonly maxOutputTokens: number;
  readonly maxPriceMsat: number;
  readonly patienceUs: number;
  /** Absent: after the result. */
  readonly settlement: SettlementPlan | undefined;
  readonly refundWithinUs: number;
  readonly paymentAttempts: number;
}

export const clientKind: ConfigKind<typeof schema> = {
  name: "client",
  description: "Settings of a live client: which router it asks, how it pays, and how much at most.",
  keys: ["router"],
  schema,
};

/** Reads a client's settings. @throws ConfigError with all that is wrong with them */
export function readClientConfig(path: string): ClientConfig {
  return readConfigFile(clientKind, path, resolveClient);
}

export function resolveClient(reading: Reading<z.output<typeof schema>>): ClientConfig {
  const { value, path, number } = reading;
  return {
    keyFile: path(value.key),
    router: readRouter(reading, value.router, ["router"]),
    wallet: readWallet(value.wallet),
    region: value.region,
    model: value.model,
    maxOutputTokens: number("tokens", value.maxOutputTokens, ["maxOutputTokens"]),
    maxPriceMsat: number("money", value.maxPrice, ["maxPrice"]),
    patienceUs: number("duration", value.patience, ["patience"]),
    settlement: readSettlement(reading, value.settlement, ["settlement"]),
    refundWithinUs: number("duration", value.refundWithin, ["refundWithin"]),
    paymentAttempts: value.paymentAttempts,
  };
}
