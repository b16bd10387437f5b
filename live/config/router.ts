import { z } from "zod";
import { oneOf } from "../../input/fields.ts";
import { duration, money, patientDuration, positiveDuration, share } from "../../input/quantities.ts";
import type { RouterOptions } from "../../scheduler/router-options.ts";
import type { LinkLimits } from "../link/limits.ts";
import { DEFAULT_LIMITS } from "../link/limits.ts";
import { file, host, logLevel, metrics, type MetricsSettings, port, readMetrics, readWallet, wallet, type WalletSettings } from "./fields.ts";
import type { ConfigKind, Reading } from "./read.ts";
import { readConfigFile } from "./read.ts";

const weights = {
  price: z.number().min(0).default(1).describe("Weight of a low price relative to the client's maximum."),
  latency: z.number().min(0).default(1).describe("Weight of a short expected time."),
  load: z.number().min(0).default(1).describe("Weight of few jobs per slot."),
  reliability: z.number().min(0).default(1).describe("Weight of dispatches that ended well."),
};
const equalWeights = { price: 1, latency: 1, load: 1, reliability: 1 };

const policy = oneOf({
  "weighted-score": z.strictObject(weights).describe("The highest weighted sum of normalised parts."),
  "power-of-two": z.strictObject({ choices: z.int().min(1).max(1_000).describe("Nodes drawn at random, of which the least loaded is taken.") }).describe("The least loaded of a few nodes drawn at random."),
  softmax: z.strictObject({ temperature: z.number().gt(0).describe("0.01: nearly always the best; 1: nearly any."), ...weights }).describe("Odds by weighted score."),
  "top-n-random": z.strictObject({ n: z.int().min(1).max(1_000_000).describe("Nodes among which to draw."), ...weights }).describe("One of the n best by weighted score, at random."),
}, ["cheapest", "least-loaded", "weighted-score", "power-of-two", "round-robin", "random"]);

const schema = z.strictObject({
  key: file.default("router.key").describe("File of the secret key, mode 0600 (`infernet keygen --out router.key`)."),
  listen: z.strictObject({
    host: host.default("127.0.0.1").describe("Address to listen on; 0.0.0.0: all of the machine's."),
    port: port.default(7_700).describe("Port to listen on; 0: any that is free."),
  }).prefault({}).describe("Where nodes and clients connect, by WebSocket."),
  policy: policy.default("weighted-score").describe("How a node is picked among those eligible."),
  fee: z.strictObject({
    share: share.default(0).describe("Share of the job's amount, in whole basis points: `100 bps` or `1 %`."),
    flat: money.default("0 msat").describe("Fixed part per job."),
    min: money.optional().describe("Least fee per job (default: none)."),
    max: money.optional().describe("Greatest fee per job (default: none)."),
    bearer: z.enum(["client", "operator"]).default("client").describe("client: the fee comes on top of the job's amount. operator: the node pays it out of the amount."),
  }).prefault({}).describe("What the router charges for a job."),
  heartbeat: positiveDuration.default("2s").describe("Interval of heartbeats that nodes are expected to keep, and at which the router looks for those that have fallen silent."),
  staleAfter: positiveDuration.optional().describe("A node not heard of for longer than this gets no job, and its jobs go elsewhere (default: three heartbeats)."),
  attempts: z.int().min(1).max(1_000).default(3).describe("Nodes tried for one job."),
  acceptTimeout: positiveDuration.default("2s").describe("Time a node has to accept a job."),
  jobTimeout: positiveDuration.default("10min").describe("Time from acceptance to result, per attempt."),
  queue: z.strictObject({
    limit: z.int().min(0).max(1_000_000).default(1_000).describe("Jobs that may wait at the router while every node they could go to is full."),
    maxWait: patientDuration.default("30s").describe("How long a job may wait there."),
  }).prefault({}).describe("The router's own queue."),
  circuitBreaker: z.strictObject({
    failures: z.int().min(1).max(1_000_000).default(3).describe("Failures in a row that take a node out of rotation."),
    coolDown: positiveDuration.default("30s").describe("For how long, the first time."),
    growth: z.number().min(1).max(1_000).default(2).describe("Each further time this many times longer."),
    maxCoolDown: positiveDuration.default("10min").describe("The longest."),
  }).prefault({}).describe("Takes failing nodes out of rotation."),
  marketState: duration.default("0s").describe("How often nodes are told how their markets stand; 0s: never."),
  wallet: wallet.default("none").describe("Where the fee goes. A router that takes a fee needs one; jobs' money never passes through it."),
  limits: z.strictObject({
    connections: z.int().min(1).max(1_000_000).default(DEFAULT_LIMITS.connections).describe("Connections at once."),
    envelopesPerSecond: z.int().min(1).max(1_000_000).default(DEFAULT_LIMITS.envelopesPerS).describe("Envelopes per second from one connection, over time; who sends more is read more slowly."),
    opening: positiveDuration.default("5s").describe("Time a connection has to prove whose it is."),
    silence: positiveDuration.default("15s").describe("A connection that is silent for so long is pinged, and cut off after as long again."),
    away: duration.default("15s").describe("How long messages are kept for a peer whose connection went down."),
  }).prefault({}).describe("What the router takes from others before it says no."),
  shutdown: duration.default("30s").describe("When asked to stop (SIGTERM, Ctrl-C), how long jobs at nodes may still take; new ones are refused. A second signal ends it at once."),
  metrics,
  log: logLevel,
});

/** A router's settings, in base units. */
export interface RouterConfig {
  readonly keyFile: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly router: RouterOptions;
  readonly limits: Partial<LinkLimits>;
  readonly wallet: WalletSettings;
  /** How long jobs may take once the router was asked to stop, µs. */
  readonly shutdownUs: number;
  readonly metrics: MetricsSettings;
  readonly log: z.output<typeof logLevel>;
}

export const routerKind: ConfigKind<typeof schema> = {
  name: "router",
  description: "Settings of a live router: where it listens, how it matches jobs to nodes, what it charges.",
  keys: ["listen", "key"],
  schema,
};

/** A node that was away for so long is a stranger when it comes back, µs. */
const FORGET_AFTER_US = 3_600_000_000;
/** Nodes that a router knows at once; each takes 0.5 kB, and with 64 models 10 kB. */
const NODES_MAX = 16_384;

/** A century, µs: as long as for ever. */
const FOREVER_US = 3_155_760_000_000_000;

/** Reads a router's settings. @throws ConfigError with all that is wrong with them */
export function readRouterConfig(path: string): RouterConfig {
  return readConfigFile(routerKind, path, resolveRouter);
}

export function resolveRouter(reading: Reading<z.output<typeof schema>>): RouterConfig {
  const { value, path, number, wrong } = reading;
  const us = (written: unknown, ...at: string[]): number => (written === "forever" ? FOREVER_US : number("duration", written, at));
  const { fee, queue, circuitBreaker, limits } = value;
  const shareBps = number("share", fee.share, ["fee", "share"]) * 10_000;
  if (Math.abs(shareBps - Math.round(shareBps)) > 1e-6) wrong({ path: ["fee", "share"], found: String(fee.share), allowed: "whole basis points, such as 25 bps or 1.5 %" });
  const msat = (written: unknown, at: string): number => number("money", written, ["fee", at]);
  const terms: RouterOptions["fee"] = {
    shareBps: Math.round(shareBps), flatMsat: msat(fee.flat, "flat"),
    ...(fee.min === undefined ? {} : { minMsat: msat(fee.min, "min") }), ...(fee.max === undefined ? {} : { maxMsat: msat(fee.max, "max") }),
    ...(fee.bearer === "client" ? {} : { bearer: fee.bearer }),
  };
  if (value.wallet === "none" && (terms.shareBps > 0 || terms.flatMsat > 0 || (terms.minMsat ?? 0) > 0)) wrong({ path: ["wallet"], found: "none", allowed: "a wallet, such as {ledger: ws://127.0.0.1:7800}: a router that takes a fee has to be paid it" });
  const heartbeatUs = us(value.heartbeat, "heartbeat");
  const staleAfterUs = value.staleAfter === undefined ? 3 * heartbeatUs : us(value.staleAfter, "staleAfter");
  if (staleAfterUs < heartbeatUs) wrong({ path: ["staleAfter"], found: String(value.staleAfter), allowed: `at least the heartbeat's interval, ${String(value.heartbeat)}` });
  const coolDownUs = us(circuitBreaker.coolDown, "circuitBreaker", "coolDown");
  const maxCoolDownUs = us(circuitBreaker.maxCoolDown, "circuitBreaker", "maxCoolDown");
  if (maxCoolDownUs < coolDownUs) wrong({ path: ["circuitBreaker", "maxCoolDown"], found: String(circuitBreaker.maxCoolDown), allowed: `at least the first cool-down, ${String(circuitBreaker.coolDown)}` });
  return {
    keyFile: path(value.key),
    listen: value.listen,
    router: {
      policy: resolvePolicy(value.policy),
      fee: terms,
      staleAfterUs,
      sweepUs: heartbeatUs,
      forgetAfterUs: Math.max(FORGET_AFTER_US, staleAfterUs),
      nodesMax: NODES_MAX,
      attempts: value.attempts,
      acceptTimeoutUs: us(value.acceptTimeout, "acceptTimeout"),
      jobTimeoutUs: us(value.jobTimeout, "jobTimeout"),
      queueLimit: queue.limit,
      queueWaitUs: us(queue.maxWait, "queue", "maxWait"),
      circuitBreaker: { failures: circuitBreaker.failures, coolDownUs, growth: circuitBreaker.growth, maxCoolDownUs },
      quoteValidUs: heartbeatUs,
      marketStateUs: us(value.marketState, "marketState"),
    },
    limits: {
      connections: limits.connections, envelopesPerS: limits.envelopesPerSecond, openingMs: us(limits.opening, "limits", "opening") / 1_000,
      silenceMs: us(limits.silence, "limits", "silence") / 1_000, awayMs: us(limits.away, "limits", "away") / 1_000,
    },
    wallet: readWallet(value.wallet),
    shutdownUs: us(value.shutdown, "shutdown"),
    metrics: readMetrics(value.metrics),
    log: value.log,
  };
}

function resolvePolicy(value: z.output<typeof policy>): RouterOptions["policy"] {
  if (typeof value === "string") return value === "weighted-score" ? { kind: value, weights: equalWeights } : value === "power-of-two" ? { kind: value, choices: 2 } : { kind: value };
  if ("weighted-score" in value) return { kind: "weighted-score", weights: value["weighted-score"] };
  if ("power-of-two" in value) return { kind: "power-of-two", choices: value["power-of-two"].choices };
  if ("softmax" in value) {
    const { temperature, ...rest } = value.softmax;
    return { kind: "softmax", temperature, weights: rest };
  }
  const { n, ...rest } = value["top-n-random"];
  return { kind: "top-n-random", n, weights: rest };
}
