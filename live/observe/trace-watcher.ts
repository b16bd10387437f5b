import type { Span } from "@opentelemetry/api";
import type { JobId } from "../../protocol/messages.ts";
import type { Tracing } from "./tracing.ts";
import type { Role, Watcher } from "./watcher.ts";

/** Spans that are open at once, at most: of what is never heard of again, the oldest is given up. */
const OPEN_MAX = 16_384;

/** ms since 1970, finer than a ms. */
const nowMs = (): number => performance.timeOrigin + performance.now();

/**
 * Turns what happens in a process into the spans of its jobs:
 *
 *     job (client) > route (router) > attempt (router) > queue, prefill, decode (node)
 */
export function traceWatcher(role: Role, tracing: Tracing): Watcher {
  switch (role) {
    case "client": return clientSpans(tracing);
    case "router": return routerSpans(tracing);
    case "node": return nodeSpans(tracing);
    default: return {};
  }
}

function clientSpans(tracing: Tracing): Watcher {
  const jobs = new Open<Span>((span) => tracing.fail(span, "lost"));
  return {
    telemetry: {
      submitted: ({ jobId, model, inputTokens, maxOutputTokens }) => {
        jobs.put(jobId, tracing.begin(jobId, "job", null, "client", { "gen_ai.operation.name": "text_completion", "gen_ai.request.model": model, "gen_ai.request.max_tokens": maxOutputTokens, "infernet.job.input_tokens_declared": inputTokens }));
      },
      firstToken: (jobId, attempt) => jobs.get(jobId)?.addEvent("first token", { "infernet.attempt": attempt }),
      finished: (jobId, node, attempt, inputTokens, outputTokens, amountMsat, feeMsat) => {
        jobs.get(jobId)?.setAttributes({
          "infernet.node": node, "infernet.attempt": attempt, "gen_ai.usage.input_tokens": inputTokens, "gen_ai.usage.output_tokens": outputTokens,
          "infernet.amount_msat": amountMsat, "infernet.fee_msat": feeMsat,
        });
        jobs.get(jobId)?.addEvent("result");
      },
      ended: (jobId, status, reason) => {
        const span = jobs.take(jobId);
        if (span === undefined) return;
        span.setAttribute("infernet.job.status", status);
        if (status === "completed") span.end();
        else tracing.fail(span, reason);
      },
    },
  };
}

function routerSpans(tracing: Tracing): Watcher {
  interface Routed { readonly route: Span; attempt: Span | undefined }
  const jobs = new Open<Routed>(({ route, attempt }) => {
    if (attempt !== undefined) tracing.fail(attempt, "lost");
    tracing.fail(route, "lost");
  });
  const ended = (jobId: JobId, reason: string): void => {
    const job = jobs.take(jobId);
    if (job === undefined) return;
    for (const span of [job.attempt, job.route]) {
      if (span === undefined) continue;
      if (reason === "") span.end();
      else tracing.fail(span, reason);
    }
  };
  return {
    telemetry: {
      assigned: (jobId, node, attempt) => {
        const job = jobs.get(jobId);
        if (job === undefined) return;
        job.attempt?.end();
        job.attempt = tracing.begin(jobId, `attempt ${attempt}`, "route", "client", { "infernet.node": node, "infernet.attempt": attempt });
      },
      attemptFailed: (jobId, _node, _attempt, reason) => {
        const job = jobs.get(jobId);
        if (job?.attempt === undefined) return;
        tracing.fail(job.attempt, reason);
        job.attempt = undefined;
      },
    },
    heard: (from, message) => {
      if (message.type === "job" && message.job.client === from && jobs.get(message.job.jobId) === undefined) {
        jobs.put(message.job.jobId, { route: tracing.begin(message.job.jobId, "route", "job", "server", { "gen_ai.request.model": message.job.model }), attempt: undefined });
      } else if (message.type === "accept") jobs.get(message.jobId)?.attempt?.addEvent("accepted");
      else if (message.type === "result") ended(message.jobId, "");
      else if (message.type === "cancel") ended(message.jobId, message.reason);
    },
    sent: (_, message) => {
      if (message.type === "refuse") ended(message.jobId, message.reason);
    },
  };
}

function nodeSpans(tracing: Tracing): Watcher {
  interface AtNode { readonly tookMs: number; readonly attempt: number; readonly model: string; readonly inputTokens: number; startedMs: number; firstMs: number }
  const attempts = new Open<number>(() => {});
  const jobs = new Open<AtNode>(() => {});
  const ended = (jobId: JobId, reason: string, outputTokens: number): void => {
    const job = jobs.take(jobId);
    attempts.take(jobId);
    if (job === undefined) return;
    const { tookMs, startedMs, firstMs, attempt, model, inputTokens } = job;
    const endMs = nowMs();
    const stage = (name: "queue" | "prefill" | "decode", fromMs: number, toMs: number, more: Record<string, number> = {}): void => {
      if (fromMs === 0) return;
      const span = tracing.begin(jobId, name, `attempt ${attempt}`, "internal", { "infernet.attempt": attempt, "gen_ai.request.model": model, ...more }, fromMs);
      // What the job did not get beyond is where it failed.
      if (reason !== "" && toMs === 0) tracing.fail(span, reason, endMs);
      else span.end(toMs === 0 ? endMs : toMs);
    };
    stage("queue", tookMs, startedMs);
    stage("prefill", startedMs, firstMs, { "gen_ai.usage.input_tokens": inputTokens });
    stage("decode", firstMs, 0, { "gen_ai.usage.output_tokens": outputTokens });
  };
  return {
    heard: (_, message) => {
      if (message.type === "award") attempts.put(message.job.jobId, message.attempt);
    },
    runnerTook: ({ jobId, model, inputTokens }) => jobs.put(jobId, { tookMs: nowMs(), attempt: attempts.get(jobId) ?? 1, model, inputTokens, startedMs: 0, firstMs: 0 }),
    runnerForgot: (jobId) => ended(jobId, "cancelled", 0),
    runnerSaid: (event) => {
      const job = jobs.get(event.jobId);
      if (job === undefined) return;
      if (event.kind === "started") job.startedMs = nowMs();
      else if (event.kind === "first-token") job.firstMs = nowMs();
      else if (event.kind === "finished") ended(event.jobId, "", event.outputTokens);
      else if (event.kind === "failed") ended(event.jobId, event.reason, 0);
    },
  };
}

/** What is open by job, within bounds. */
class Open<T> {
  readonly #jobs = new Map<JobId, T>();
  readonly #giveUp: (one: T) => void;

  constructor(giveUp: (one: T) => void) {
    this.#giveUp = giveUp;
  }

  get(jobId: JobId): T | undefined {
    return this.#jobs.get(jobId);
  }

  put(jobId: JobId, one: T): void {
    this.#jobs.set(jobId, one);
    if (this.#jobs.size <= OPEN_MAX) return;
    const [oldest, given] = this.#jobs.entries().next().value!;
    this.#jobs.delete(oldest);
    this.#giveUp(given);
  }

  take(jobId: JobId): T | undefined {
    const one = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    return one;
  }
}
