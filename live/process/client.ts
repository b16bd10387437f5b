import { randomBytes } from "node:crypto";
import { sha256Hex } from "../../protocol/canonical.ts";
import type { ErrorCode, JobId, JobRequest, MeteringReceipt, PeerId, Quote, Refuse, Result } from "../../protocol/messages.ts";
import type { Signer } from "../../protocol/signer.ts";
import { Client } from "../../scheduler/client.ts";
import type { JobStatus, Random, Telemetry } from "../../scheduler/environment.ts";
import type { SettlementPlan } from "../../scheduler/settlement/plan.ts";
import { type Clock, MonotonicClock } from "../clock.ts";
import type { RouterAddress } from "../config/fields.ts";
import { LiveEnvironment } from "../environment.ts";
import type { BackOffOptions } from "../link/back-off.ts";
import type { LinkLimits } from "../link/limits.ts";
import { Uplink } from "../link/uplink.ts";
import { WatchedLink } from "../observe/decorated.ts";
import type { Observer } from "../observe/observer.ts";
import { telemetryTo } from "../telemetry.ts";
import type { LiveWallet } from "../wallet/live-wallet.ts";
import { TokenStream } from "./token-stream.ts";
import type { TokenPart } from "./token-stream.ts";

export interface StartClientOptions {
  readonly signer: Signer;
  readonly router: RouterAddress;
  readonly region: string;
  /** How jobs are paid; absent: after their result. */
  readonly settlement?: SettlementPlan | undefined;
  /** How often a payment is tried; default 3. */
  readonly paymentAttempts?: number | undefined;
  /** From a job's end until the client gives up what it paid too much, µs; default: a minute. */
  readonly refundWithinUs?: number | undefined;
  /** Started and stopped with the client. */
  readonly wallet: LiveWallet;
  readonly telemetry?: Partial<Telemetry> | undefined;
  /** Looks on: log, metrics, traces. Closed by whoever opened it. */
  readonly observer?: Observer | undefined;
  readonly clock?: Clock | undefined;
  readonly limits?: Partial<LinkLimits> | undefined;
  readonly backOff?: BackOffOptions | undefined;
  readonly random?: ((purpose: string) => Random) | undefined;
  /** The signer's key was never used before: nothing can be replayed to it. */
  readonly newKey?: boolean | undefined;
  /** How long the first connection may take, ms; default 5,000. */
  readonly connectMs?: number | undefined;
  /** Told of faults of the program. */
  readonly onFault: (error: unknown) => void;
  readonly onRefused?: ((code: ErrorCode, detail: string) => void) | undefined;
  /** Told why there is no connection any more, and when the next try comes. */
  readonly onDown?: ((why: string, retryMs: number) => void) | undefined;
  readonly onUp?: (() => void) | undefined;
}

/** What is asked for. */
export interface JobSpec {
  readonly model: string;
  /** Absent: the node makes up a prompt of `inputTokens` tokens, for measurements. */
  readonly prompt?: string | undefined;
  /** Most tokens of the prompt that are paid for; default: {@link boundOnTokens} of the prompt. Needed without one. */
  readonly inputTokens?: number | undefined;
  readonly maxOutputTokens: number;
  readonly maxPriceMsat: number;
  readonly patienceUs: number;
  /** 0 to 9; default 0. */
  readonly priority?: number | undefined;
  readonly latencyGoal?: JobRequest["latencyGoal"] | undefined;
  readonly allowedRegions?: readonly string[] | undefined;
  readonly choice?: JobRequest["choice"] | undefined;
  /** Default: drawn at random. */
  readonly jobId?: JobId | undefined;
}

/** How a job went. Times in µs of the client's clock. */
export interface JobOutcome {
  readonly jobId: JobId;
  readonly status: JobStatus;
  /** "" where it is completed. */
  readonly reason: string;
  /** Why the output ended; null without a result. */
  readonly finishReason: Result["finishReason"] | null;
  /** What the node signed; null without a right result. */
  readonly receipt: MeteringReceipt | null;
  /** The router's fee that was asked for, msat. */
  readonly feeMsat: number;
  readonly submittedUs: number;
  /** null where none came. */
  readonly firstTokenUs: number | null;
  readonly lastTokenUs: number | null;
  readonly endedUs: number;
}

/** A job on its way. */
export interface SubmittedJob {
  readonly jobId: JobId;
  /** Output as it comes, until the job ends. */
  readonly tokens: AsyncIterable<TokenPart>;
  /** Never rejects. */
  readonly outcome: Promise<JobOutcome>;
  /** False where it has ended or its result is in. */
  cancel(): boolean;
}

/** A client that is up. */
export interface RunningClient {
  /** The client's key. */
  readonly peer: PeerId;
  readonly balanceMsat: number;
  /** Jobs that have not ended. */
  readonly open: number;
  /** @throws RangeError where the job is not one that can be sent */
  submit(spec: JobSpec): SubmittedJob;
  /** What such a job would cost now, or why no node would serve it. @throws LinkError where no answer comes in time */
  quote(spec: JobSpec, withinMs?: number): Promise<Quote | Refuse>;
  /** Cancels what is open and says so, waits so long (default 3 s) for payments under way, and closes. */
  stop(withinMs?: number): Promise<void>;
}

/** A router cannot be reached: in words for the user. */
export class LinkError extends Error {
  override readonly name = "UserError";
}

/** What a client declares beyond its prompt's bytes, for tokens that stand for no text: the beginning of a text, a chat's roles. */
const CONTROL_TOKENS = 16;

/**
 * Most tokens that a prompt can have, whatever the model: tokenizers of today's models fall back on bytes, so that a token
 * stands for a byte of UTF-8 at least, and add a few that stand for no text. The node bills what it counts; it refuses a prompt
 * that has more tokens than declared.
 */
export function boundOnTokens(prompt: string): number {
  return Buffer.byteLength(prompt) + CONTROL_TOKENS;
}

interface Open {
  readonly stream: TokenStream;
  readonly end: (outcome: JobOutcome) => void;
  readonly submittedUs: number;
  firstTokenUs: number | null;
  lastTokenUs: number | null;
  result: Result | null;
}

/**
 * Starts a client: wallet, connection to its router, and the client itself.
 * @throws LinkError where the router does not answer, or is another; WalletError
 */
export async function startClient(options: StartClientOptions): Promise<RunningClient> {
  const { signer, router, observer, random, limits, backOff, newKey, onFault } = options;
  const watcher = observer?.watcher;
  const wallet = observer?.wallet(options.wallet) ?? options.wallet;
  const clock = options.clock ?? new MonotonicClock();
  const self = signer.publicKey;
  const jobs = new Map<JobId, Open>();
  const quotes = new Map<JobId, (answer: Quote | Refuse) => void>();
  const endOf = (jobId: JobId, status: JobStatus, reason: string): void => {
    const job = jobs.get(jobId);
    if (job === undefined) return;
    jobs.delete(jobId);
    const { stream, end, submittedUs, firstTokenUs, lastTokenUs, result } = job;
    end({
      jobId, status, reason, submittedUs, firstTokenUs, lastTokenUs, endedUs: clock.nowUs,
      finishReason: result?.finishReason ?? null, receipt: result?.receipt ?? null, feeMsat: result?.payments.find(({ purpose }) => purpose === "fee")?.amountMsat ?? 0,
    });
    stream.end();
  };
  let tellDown: (why: string) => void = () => {};
  let tellUp: () => void = () => {};
  const uplink = new Uplink({
    signer, clock, url: router.url, router: router.key, limits, backOff, newKey,
    onDown: (why, retryMs) => {
      tellDown(why);
      watcher?.down(`router ${router.url}`, why, retryMs);
      options.onDown?.(why, retryMs);
    },
  });
  const env = new LiveEnvironment({
    self, clock, link: watcher === undefined ? uplink : new WatchedLink(uplink, watcher), wallet, random, onFault,
    telemetry: telemetryTo(options.telemetry ?? {}, observer?.telemetry ?? {}, { ended: endOf }),
  });
  const client = new Client(env, {
    routers: [router.key], paymentAttempts: options.paymentAttempts ?? 3, paymentRetryUs: 1_000_000, settlement: options.settlement, refundWithinUs: options.refundWithinUs,
    onTokens: (chunk, from) => {
      const job = jobs.get(chunk.jobId);
      if (job === undefined) return;
      job.lastTokenUs = clock.nowUs;
      job.firstTokenUs ??= clock.nowUs;
      job.stream.add(chunk, from);
    },
    onResult: (result) => {
      const job = jobs.get(result.jobId);
      if (job !== undefined) job.result = result;
    },
    onQuote: (answer) => {
      quotes.get(answer.jobId)?.(answer);
      quotes.delete(answer.jobId);
    },
  });
  env.host(client);
  uplink.listen({
    onMessage: (from, message) => {
      watcher?.heard(from, message);
      env.onMessage(from, message);
    },
    onRefused: (code, detail) => {
      watcher?.refused(code, detail);
      options.onRefused?.(code, detail);
    },
    onPeer: (_, up) => {
      watcher?.peer(router.key, up);
      if (!up) return;
      watcher?.up(`router ${router.url}`);
      tellUp();
      options.onUp?.();
    },
  });
  observer?.metrics.uplinks([uplink.stats], () => (uplink.isConnected ? 1 : 0));
  wallet.listen((event) => env.onWallet(event));
  await wallet.start();
  try {
    await firstConnection();
  } catch (error) {
    env.close();
    await Promise.all([uplink.stop(), wallet.stop()]);
    throw error;
  }

  async function firstConnection(): Promise<void> {
    const { connectMs = 5_000 } = options;
    let timer: NodeJS.Timeout | undefined;
    const connected = new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new LinkError(`No router at ${router.url}: ${why}.`));
      tellUp = resolve;
      tellDown = fail;
      timer = setTimeout(() => fail(`no answer within ${connectMs / 1_000} s`), connectMs);
    });
    // Whoever waits is told by the other one.
    connected.catch(() => {});
    try {
      await uplink.start();
      await connected;
    } finally {
      clearTimeout(timer);
      tellUp = () => {};
      tellDown = () => {};
    }
  }

  const requestOf = (spec: JobSpec): JobRequest => {
    const { prompt } = spec;
    if (prompt !== undefined && !prompt.isWellFormed()) throw new RangeError("the prompt is not well-formed Unicode");
    const inputTokens = spec.inputTokens ?? (prompt === undefined ? undefined : boundOnTokens(prompt));
    if (inputTokens === undefined) throw new RangeError("a job without prompt says how many input tokens it has");
    return {
      jobId: spec.jobId ?? `j-${randomBytes(12).toString("hex")}`,
      client: self,
      model: spec.model,
      inputTokens,
      maxOutputTokens: spec.maxOutputTokens,
      maxPriceMsat: spec.maxPriceMsat,
      latencyGoal: spec.latencyGoal ?? {},
      patienceUs: spec.patienceUs,
      priority: spec.priority ?? 0,
      region: options.region,
      minStakeMsat: 0,
      privacy: "any",
      verification: "none",
      // Without a prompt, something that only those know who are given the job.
      promptHash: prompt === undefined ? randomBytes(32).toString("hex") : sha256Hex(prompt),
      ...(spec.allowedRegions === undefined ? {} : { allowedRegions: [...spec.allowedRegions] }),
      ...(spec.choice === undefined ? {} : { choice: spec.choice }),
    };
  };

  const cancel = (jobId: JobId, reason: "user" | "shutdown"): boolean => {
    let cancelled = false;
    env.run(() => { cancelled = client.cancel(jobId, reason); });
    return cancelled;
  };
  const close = async (withinMs: number): Promise<void> => {
    for (const jobId of [...jobs.keys()]) cancel(jobId, "shutdown");
    // What is left has its result, and is being paid.
    const deadlineMs = performance.now() + withinMs;
    while (client.open > 0 && performance.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 10));
    env.run(() => {
      for (const jobId of [...jobs.keys()]) endOf(jobId, "failed", "shutdown");
    });
    await uplink.stop();
    env.close();
    await wallet.stop();
  };

  let stopped: Promise<void> | null = null;
  return {
    peer: self,
    get balanceMsat() { return wallet.balanceMsat; },
    get open() { return client.open; },
    submit(spec) {
      if (stopped !== null) throw new RangeError("the client is stopped");
      const request = requestOf(spec);
      const { jobId } = request;
      if (jobs.has(jobId)) throw new RangeError(`job ${jobId} is in progress already`);
      const stream = new TokenStream();
      const outcome = new Promise<JobOutcome>((resolve) => {
        jobs.set(jobId, { stream, end: resolve, submittedUs: clock.nowUs, firstTokenUs: null, lastTokenUs: null, result: null });
      });
      env.run(() => void client.submit(request, spec.prompt));
      return { jobId, tokens: stream, outcome, cancel: () => cancel(jobId, "user") };
    },
    async quote(spec, withinMs = 5_000) {
      const request = requestOf(spec);
      let timer: NodeJS.Timeout | undefined;
      const answer = new Promise<Quote | Refuse>((resolve, reject) => {
        quotes.set(request.jobId, resolve);
        timer = setTimeout(() => reject(new LinkError(`The router at ${router.url} gave no quote within ${withinMs / 1_000} s.`)), withinMs);
      });
      env.run(() => client.askQuote(request));
      try {
        return await answer;
      } finally {
        clearTimeout(timer);
        quotes.delete(request.jobId);
        env.run(() => client.forgetQuote(request.jobId));
      }
    },
    stop(withinMs = 3_000) {
      stopped ??= close(withinMs);
      return stopped;
    },
  };
}
