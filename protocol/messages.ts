import { z } from "zod";

/** Largest amount, price or count that crosses the wire: exact in a double. */
const safeInteger = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** 32 bytes as 64 lower-case hexadecimal digits: public keys, hashes, preimages. */
export const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
/** A peer is known by its x-only secp256k1 public key (BIP-340), in hexadecimal. */
export const peerId = hex32;
/** A job's name, unique for its client; chosen by the client. */
export const jobId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
/** A model's name, such as `llama-3.1-8b:q4_k_m`. */
export const modelName = z.string().regex(/^[A-Za-z0-9._:\/-]{1,128}$/);
export const region = z.string().regex(/^[a-z0-9-]{1,32}$/);
export const tokens = z.int().min(0).max(2 ** 31 - 1);
export const msat = safeInteger;
export const durationUs = safeInteger;

/** Prices in msat per million tokens, input and output apart, and an optional fixed part per job in msat. */
export const priceSheet = z.strictObject({
  inputMsatPerMtok: msat,
  outputMsatPerMtok: msat,
  fixedMsat: msat,
});
export type PriceSheet = z.infer<typeof priceSheet>;

/** The router's charge on a job: a share of the job's amount in basis points, plus a flat part. */
export const feeTerms = z.strictObject({
  shareBps: z.int().min(0).max(10_000),
  flatMsat: msat,
});
export type FeeTerms = z.infer<typeof feeTerms>;

/** What a client asks for, without the prompt: only its hash and its length in tokens. */
export const jobRequest = z.strictObject({
  jobId,
  client: peerId,
  model: modelName,
  inputTokens: tokens,
  maxOutputTokens: tokens.min(1),
  /** Upper bound on everything the client pays for this job, the router's fee included. */
  maxPriceMsat: msat,
  latencyGoal: z.strictObject({
    ttftUs: durationUs.optional(),
    tpotUs: durationUs.optional(),
    endToEndUs: durationUs.optional(),
  }),
  /** How long the client waits for the result before it gives the job up. */
  patienceUs: durationUs,
  /** 0 is ordinary; a higher number is served first where a node's queue has priorities. */
  priority: z.int().min(0).max(9),
  /** Where the client is; latency estimates start there. */
  region,
  /** Regions that may serve the job; absent: any. */
  allowedRegions: z.array(region).min(1).max(64).optional(),
  minStakeMsat: msat,
  privacy: z.enum(["any", "attested"]),
  verification: z.enum(["none", "spot-check", "redundant"]),
  promptHash: hex32,
});
export type JobRequest = z.infer<typeof jobRequest>;

export const modelOffer = z.strictObject({
  model: modelName,
  /** Longest context (prompt and output together) that one job may use. */
  contextTokensMax: tokens,
  prices: priceSheet,
  /** The operator's own claim for an otherwise idle node. */
  prefillTokensPerS: z.number().positive().max(1e9),
  decodeTokensPerS: z.number().positive().max(1e9),
});
export type ModelOffer = z.infer<typeof modelOffer>;

/** node -> router: what the node is and offers. A higher incarnation replaces a lower one: the node restarted. */
export const descriptor = z.strictObject({
  type: z.literal("descriptor"),
  node: peerId,
  incarnation: z.int().min(0).max(2 ** 31 - 1),
  region,
  machine: z.string().max(128),
  engine: z.string().max(64),
  slots: z.int().min(1).max(65_536),
  /** Jobs that may wait at the node beyond those running. */
  queueLimit: z.int().min(0).max(2 ** 31 - 1),
  kvTokensMax: tokens,
  stakeMsat: msat,
  attested: z.boolean(),
  offers: z.array(modelOffer).min(1).max(64),
});
export type Descriptor = z.infer<typeof descriptor>;

/** node -> router: still here, and how busy. */
export const heartbeat = z.strictObject({
  type: z.literal("heartbeat"),
  incarnation: z.int().min(0).max(2 ** 31 - 1),
  sequence: safeInteger,
  running: z.int().min(0).max(2 ** 31 - 1),
  waiting: z.int().min(0).max(2 ** 31 - 1),
  kvTokensUsed: tokens,
  accepting: z.boolean(),
});
export type Heartbeat = z.infer<typeof heartbeat>;

/** client -> router: what would such a job cost now? */
export const quoteRequest = z.strictObject({ type: z.literal("quote-request"), job: jobRequest });
export type QuoteRequest = z.infer<typeof quoteRequest>;

/** router -> client: answer to a quote request. */
export const quote = z.strictObject({
  type: z.literal("quote"),
  jobId,
  node: peerId,
  prices: priceSheet,
  fee: feeTerms,
  /** The most the job can cost: every allowed output token used, fee included. */
  maxAmountMsat: msat,
  validForUs: durationUs,
});
export type Quote = z.infer<typeof quote>;

/** router -> node: offers for this job are taken until `closesInUs` has passed. */
export const callForBids = z.strictObject({
  type: z.literal("call-for-bids"),
  job: jobRequest,
  closesInUs: durationUs,
  reserveMsat: msat.optional(),
});
export type CallForBids = z.infer<typeof callForBids>;

/** node -> router: an offer in a call for bids. */
export const bid = z.strictObject({
  type: z.literal("bid"),
  jobId,
  prices: priceSheet,
  expectedStartUs: durationUs,
  validForUs: durationUs,
});
export type Bid = z.infer<typeof bid>;

/** client -> router: serve this job. The prompt itself, where there is one, rides along and is never stored. */
export const job = z.strictObject({
  type: z.literal("job"),
  job: jobRequest,
  prompt: z.string().max(4_000_000).optional(),
});
export type Job = z.infer<typeof job>;

/** router -> node: the job is yours, at these prices. */
export const award = z.strictObject({
  type: z.literal("award"),
  job: jobRequest,
  attempt: z.int().min(1).max(1_000),
  prices: priceSheet,
  fee: feeTerms,
  /** The router's invoice without an amount, on which the client pays the fee; absent where the router takes none. */
  feePaymentHash: hex32.optional(),
  prompt: z.string().max(4_000_000).optional(),
});
export type Award = z.infer<typeof award>;

/** node -> router: the job is admitted. */
export const accept = z.strictObject({ type: z.literal("accept"), jobId, attempt: z.int().min(1).max(1_000) });
export type Accept = z.infer<typeof accept>;

/** Why a node turns a job down or gives it up, or a router finds no place for it. */
export const refusalReason = z.enum([
  "queue-full", "context-too-long", "unknown-model", "price-changed", "shutting-down", "runner-failed", "duplicate-job",
  "no-eligible-node", "router-queue-full", "router-wait-too-long", "attempts-exhausted",
]);
export type RefusalReason = z.infer<typeof refusalReason>;

/** node -> router: not this one (attempt as awarded); router -> client: no node for it (attempts made). */
export const refuse = z.strictObject({
  type: z.literal("refuse"),
  jobId,
  attempt: z.int().min(0).max(1_000),
  reason: refusalReason,
});
export type Refuse = z.infer<typeof refuse>;

/** node -> client: output tokens as they come. */
export const tokenChunk = z.strictObject({
  type: z.literal("token-chunk"),
  jobId,
  attempt: z.int().min(1).max(1_000),
  /** Index of the first token in this chunk; 0 is the first output token. */
  firstToken: tokens,
  tokens: tokens.min(1),
  text: z.string().max(1_000_000).optional(),
});
export type TokenChunk = z.infer<typeof tokenChunk>;

/** What was metered and what it costs: counts, hashes and times, never text. */
export const meteringReceipt = z.strictObject({
  type: z.literal("metering-receipt"),
  jobId,
  attempt: z.int().min(1).max(1_000),
  node: peerId,
  client: peerId,
  model: modelName,
  inputTokens: tokens,
  outputTokens: tokens,
  prices: priceSheet,
  amountMsat: msat,
  queuedUs: durationUs,
  prefillUs: durationUs,
  decodeUs: durationUs,
  promptHash: hex32,
  outputHash: hex32,
});
export type MeteringReceipt = z.infer<typeof meteringReceipt>;

export const paymentPurpose = z.enum(["job", "fee"]);
export type PaymentPurpose = z.infer<typeof paymentPurpose>;

/** payee -> payer: pay this. */
export const paymentRequest = z.strictObject({
  type: z.literal("payment-request"),
  jobId,
  purpose: paymentPurpose,
  payee: peerId,
  amountMsat: msat,
  paymentHash: hex32,
  expiresInUs: durationUs,
});
export type PaymentRequest = z.infer<typeof paymentRequest>;

/** payer -> payee (and router): paid; the preimage proves it. */
export const paymentReceipt = z.strictObject({
  type: z.literal("payment-receipt"),
  jobId,
  purpose: paymentPurpose,
  payer: peerId,
  payee: peerId,
  amountMsat: msat,
  paymentHash: hex32,
  preimage: hex32,
});
export type PaymentReceipt = z.infer<typeof paymentReceipt>;

/** node -> client, and without payments to the router: the job is done. */
export const result = z.strictObject({
  type: z.literal("result"),
  jobId,
  finishReason: z.enum(["stop", "length"]),
  receipt: meteringReceipt,
  /** To the client: the node's request and, where the router takes a fee, the fee's. To the router: none. */
  payments: z.array(paymentRequest).max(2),
});
export type Result = z.infer<typeof result>;

export const cancelReason = z.enum(["patience", "user", "superseded", "unpaid", "shutdown"]);
export type CancelReason = z.infer<typeof cancelReason>;
/** client -> router -> node: stop working on it. */
export const cancel = z.strictObject({ type: z.literal("cancel"), jobId, reason: cancelReason });
export type Cancel = z.infer<typeof cancel>;

/** Any party -> router: the receipt, the output or the payment is wrong. */
export const dispute = z.strictObject({
  type: z.literal("dispute"),
  jobId,
  claim: z.enum(["not-delivered", "wrong-output", "over-metered", "not-paid", "over-charged"]),
  receiptHash: hex32.optional(),
  paymentHash: hex32.optional(),
});
export type Dispute = z.infer<typeof dispute>;

export const errorCode = z.enum([
  "bad-envelope", "bad-signature", "expired", "replayed", "oversized", "misaddressed", "unsupported-version",
  "bad-message", "unknown-job", "duplicate-job", "not-registered", "rate-limited", "internal",
]);
export type ErrorCode = z.infer<typeof errorCode>;

export const errorMessage = z.strictObject({
  type: z.literal("error"),
  code: errorCode,
  /** Path of the offending field, such as `job.maxPriceMsat`. */
  field: z.string().max(256).optional(),
  detail: z.string().max(1_000),
  jobId: jobId.optional(),
});
export type ErrorMessage = z.infer<typeof errorMessage>;

export const message = z.discriminatedUnion("type", [
  descriptor, heartbeat, quoteRequest, quote, callForBids, bid, job, award, accept, refuse, tokenChunk, result,
  meteringReceipt, paymentRequest, paymentReceipt, cancel, dispute, errorMessage,
]);
/** Everything that crosses the wire. */
export type Message = z.infer<typeof message>;
export type MessageType = Message["type"];
export type PeerId = string;
export type JobId = string;
