import { createHash, type Hash } from "node:crypto";
import { createParser } from "eventsource-parser";
import { z } from "zod";
import type { JobId, RefusalReason } from "../../protocol/messages.ts";
import type { RunnerEvent, RunnerJob } from "../../scheduler/environment.ts";
import { type DeskJob, type DeskOptions, JobDesk } from "./job-desk.ts";
import { type LiveRunner, RunnerError, type RunnerFacts } from "./live-runner.ts";
import { PseudoText } from "./pseudo-text.ts";

/** An OpenAI-compatible server as a node serves it. */
export interface HttpRunnerOptions extends Partial<DeskOptions> {
  /** Where its API begins, such as http://localhost:8080/v1. */
  readonly url: string;
  /** The model's name at the server. */
  readonly model: string;
  /** Names under which jobs may ask for it. */
  readonly models: readonly string[];
  /** `completions`: the prompt as it is; `chat`: as a user's message, in the model's own template. Default completions. */
  readonly api?: "completions" | "chat" | undefined;
  /** Sent as a bearer token. */
  readonly apiKey?: string | undefined;
  /** Longest context of one job, tokens. Default: as the server says, where it does (vLLM). */
  readonly contextTokensMax?: number | undefined;
  /** Default 0: the likeliest token. */
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  /** Asks for outputs up to their bound, past the model's own end (llama-server, vLLM). Jobs without a prompt always do. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /** Longest wait for the first token, ms. Default 300,000. */
  readonly firstTokenMs?: number | undefined;
  /** Longest silence after it, ms. Default 60,000. */
  readonly silenceMs?: number | undefined;
}

interface Request {
  readonly abort: AbortController;
  readonly hash: Hash;
  /** Text that waits for what follows it: only at the end is it known how many tokens the last of it stands for. */
  held: string | null;
  timer: NodeJS.Timeout;
}

const completionChunk = z.object({
  choices: z.array(z.object({
    text: z.string().nullish(),
    delta: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }).nullish(),
    message: z.object({ content: z.string().nullish() }).nullish(),
    finish_reason: z.string().nullish(),
  })).nullish(),
  usage: z.object({ prompt_tokens: z.int().min(0).nullish(), completion_tokens: z.int().min(0).nullish() }).nullish(),
  error: z.unknown().optional(),
});
type Chunk = z.infer<typeof completionChunk>;

const modelList = z.object({ data: z.array(z.object({ id: z.string(), max_model_len: z.int().positive().nullish() })) });

const START_MS = 5_000;
const ERROR_BYTES_MAX = 10_000;

/**
 * Hands jobs to an OpenAI-compatible server (llama-server, Ollama, vLLM), as many at once as it has slots. What the server
 * refuses, breaks off or leaves unanswered fails with `runner-failed`. How many tokens there were is the server's word
 * (`usage`); where it gives none, each piece of text counts as one.
 */
export class HttpRunner implements LiveRunner {
  readonly #options: HttpRunnerOptions;
  readonly #desk: JobDesk<Request>;
  readonly #base: string;

  /** @throws RangeError for an option out of range. */
  constructor(options: HttpRunnerOptions) {
    this.#options = options;
    if (!/^https?:\/\//.test(options.url)) throw new RangeError(`a server's address begins with http:// or https://, unlike ${options.url}`);
    this.#base = options.url.replace(/\/+$/, "");
    this.#desk = new JobDesk<Request>({
      begin: (job) => void this.#serve(job),
      abort: ({ engine }) => {
        clearTimeout(engine?.timer);
        engine?.abort.abort();
      },
    }, { tokensIntervalMs: 50, ...options, slots: options.slots ?? 4 });
  }

  get slots(): number {
    return this.#desk.slots;
  }
  get kvTokensMax(): number {
    return this.#desk.capacity?.kvTokensMax ?? 0;
  }
  get running(): number {
    return this.#desk.running;
  }
  get waiting(): number {
    return this.#desk.waiting;
  }
  get kvTokensUsed(): number {
    return this.#desk.kvTokensUsed;
  }

  listen(onEvent: (event: RunnerEvent) => void): void {
    this.#desk.listen(onEvent);
  }

  async start(): Promise<RunnerFacts> {
    const { model, models } = this.#options;
    const listed = await this.#listModels();
    const found = listed?.find(({ id }) => id === model);
    if (listed !== null && listed.length > 0 && found === undefined) {
      throw new RunnerError(`${this.#base} does not serve ${model}; it serves ${listed.map(({ id }) => id).slice(0, 10).join(", ")}`);
    }
    const contextTokensMax = this.#options.contextTokensMax ?? found?.max_model_len ?? null;
    if (contextTokensMax === null) throw new RunnerError(`${this.#base} does not say how long a context ${model} takes: set it`);
    const capacity = { models, contextTokensMax, kvTokensMax: contextTokensMax * this.slots };
    this.#desk.capacity = capacity;
    return { engine: `${model} at ${this.#base}`, slots: this.slots, ...capacity };
  }

  stop(): Promise<void> {
    this.#desk.close("shutting-down");
    return Promise.resolve();
  }

  submit(job: RunnerJob): void {
    this.#desk.submit(job);
  }

  cancel(jobId: JobId): boolean {
    return this.#desk.cancel(jobId);
  }

  watch(jobId: JobId, outputTokens: number): void {
    this.#desk.watch(jobId, outputTokens);
  }

  /** Null where the server keeps no list. */
  async #listModels(): Promise<z.infer<typeof modelList>["data"] | null> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}/models`, { headers: this.#headers(), signal: AbortSignal.timeout(START_MS) });
    } catch (error) {
      throw new RunnerError(`no server answers at ${this.#base} (${reasonOf(error)}): is it running?`, { cause: error });
    }
    if (response.status === 401 || response.status === 403) throw new RunnerError(`${this.#base} refuses the API key (${response.status})`);
    if (response.status === 404) return null;
    const text = await response.text();
    if (!response.ok) throw new RunnerError(`${this.#base}/models answers ${response.status}`);
    const list = modelList.safeParse(jsonOf(text));
    if (!list.success) throw new RunnerError(`${this.#base} is no OpenAI-compatible server: ${this.#base}/models answers something else (does the address end in /v1?)`);
    return list.data.data;
  }

  #headers(): Record<string, string> {
    const { apiKey } = this.#options;
    return apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  }

  #body({ prompt, inputTokens, maxOutputTokens, jobId }: RunnerJob): Record<string, unknown> {
    const { model, api = "completions", temperature = 0, topP, seed, ignoreEos = false } = this.#options;
    const text = prompt ?? new PseudoText(jobId).take(inputTokens);
    return {
      model,
      ...(api === "chat" ? { messages: [{ role: "user", content: text }] } : { prompt: text }),
      max_tokens: maxOutputTokens,
      temperature,
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(seed === undefined ? {} : { seed }),
      // Servers that do not know it pass it over.
      ...(ignoreEos || prompt === undefined ? { ignore_eos: true } : {}),
      stream: true,
      stream_options: { include_usage: true },
    };
  }

  async #serve(entry: DeskJob<Request>): Promise<void> {
    const { api = "completions", firstTokenMs = 300_000 } = this.#options;
    const abort = new AbortController();
    const request: Request = { abort, hash: createHash("sha256"), held: null, timer: setTimeout(() => abort.abort(), firstTokenMs) };
    entry.engine = request;
    this.#desk.started(entry);
    try {
      const response = await fetch(`${this.#base}/${api === "chat" ? "chat/completions" : "completions"}`, {
        method: "POST", headers: { ...this.#headers(), "content-type": "application/json" }, body: JSON.stringify(this.#body(entry.job)), signal: abort.signal,
      });
      if (!response.ok || response.body === null) return this.#desk.failed(entry, refusalOf(response.status, (await response.text()).slice(0, ERROR_BYTES_MAX)));
      if (response.headers.get("content-type")?.includes("json") === true) this.#finish(entry, [jsonOf(await response.text())]);
      else await this.#stream(entry, response.body);
    } catch {
      // Refused, broken off, timed out; cancelled jobs are not at the desk any more.
      this.#desk.failed(entry, "runner-failed");
    } finally {
      clearTimeout(request.timer);
      abort.abort();
    }
  }

  async #stream(entry: DeskJob<Request>, body: ReadableStream<Uint8Array>): Promise<void> {
    const { silenceMs = 60_000 } = this.#options;
    const request = entry.engine!;
    const last: unknown[] = [];
    let over = false;
    const parser = createParser({
      onEvent: ({ data }) => {
        if (data === "[DONE]") over = true;
        else if (!over) {
          const chunk = jsonOf(data);
          this.#take(entry, chunk);
          // What says how it ended and what it took may come in different chunks.
          last.push(chunk);
          if (last.length > 3) last.shift();
        }
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      clearTimeout(request.timer);
      request.timer = setTimeout(() => request.abort.abort(), silenceMs);
      if (entry.state === "ended") break;
    }
    if (entry.state !== "ended") this.#finish(entry, last, true);
  }

  /** A piece of the output. */
  #take(entry: DeskJob<Request>, raw: unknown): void {
    const chunk = completionChunk.parse(raw);
    if (chunk.error !== undefined && chunk.error !== null) throw new Error("the server says that it failed");
    const text = textOf(chunk);
    if (text === "") return;
    const request = entry.engine!;
    request.hash.update(text);
    const { maxOutputTokens } = entry.job;
    // The first is told at once. One token is kept back, for the text that comes after as many as there may be.
    if (entry.outputTokens === 0 && request.held === null && maxOutputTokens > 1) return this.#desk.tokens(entry, 1, text);
    if (request.held !== null && entry.outputTokens + 1 < maxOutputTokens) {
      this.#desk.tokens(entry, 1, request.held);
      request.held = text;
    } else request.held = (request.held ?? "") + text;
  }

  /** @param streamed the text has been taken already. */
  #finish(entry: DeskJob<Request>, raws: readonly unknown[], streamed = false): void {
    const chunks = raws.map((raw) => completionChunk.parse(raw));
    if (!streamed) for (const raw of raws) this.#take(entry, raw);
    const reason = chunks.map(({ choices }) => choices?.[0]?.finish_reason).findLast((found) => found !== null && found !== undefined);
    const usage = chunks.map((chunk) => chunk.usage).findLast((found) => found !== null && found !== undefined);
    if (reason === undefined) return this.#desk.failed(entry, "runner-failed");
    const { job: { maxOutputTokens, inputTokens, prompt }, engine, outputTokens: told } = entry;
    const counted = Math.min(maxOutputTokens, Math.max(usage?.completion_tokens ?? 0, told + (engine!.held === null ? 0 : 1)));
    if (counted > told) this.#desk.tokens(entry, counted - told, engine!.held ?? "");
    // Known only now, with the work done: what exceeds the client's bound is the operator's loss.
    const read = usage?.prompt_tokens ?? undefined;
    const billed = prompt === undefined || read === undefined ? undefined : Math.min(inputTokens, read);
    this.#desk.finished(entry, reason === "length" ? "length" : "stop", engine!.hash.digest("hex"), billed);
  }
}

const textOf = ({ choices }: Chunk): string => {
  const choice = choices?.[0];
  return (choice?.text ?? "") + (choice?.delta?.reasoning_content ?? "") + (choice?.delta?.content ?? "") + (choice?.message?.content ?? "");
};

/** Why a server turned a job down. Servers have no common word for contexts that are too long, but all say "context". */
const refusalOf = (status: number, body: string): RefusalReason => (status === 400 && /context/i.test(body) ? "context-too-long" : "runner-failed");

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** fetch wraps what really happened. */
const reasonOf = (error: unknown): string => {
  const { cause, name, message } = error as Error & { cause?: { code?: unknown; message?: unknown } };
  if (name === "TimeoutError") return `silent for ${START_MS / 1_000} s`;
  return typeof cause?.code === "string" ? cause.code : typeof cause?.message === "string" ? cause.message : message;
};
