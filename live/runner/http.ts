import { createHash, type Hash, randomInt, randomUUID } from "node:crypto";
import { createParser } from "eventsource-parser";
import type { RefusalReason } from "../../protocol/messages.ts";
import type { RunnerJob } from "../../scheduler/environment.ts";
import { Comeback, type ComebackOptions } from "./comeback.ts";
import { DeskRunner } from "./desk-runner.ts";
import { OpenAiServer, reasonOf, type ServerFacts } from "./http/server.ts";
import { type Chunk, readChunk, ServerFault } from "./http/wire.ts";
import type { DeskJob, DeskOptions } from "./job-desk.ts";
import { RunnerError, type RunnerFacts } from "./live-runner.ts";
import { PseudoText } from "./pseudo-text.ts";

/** An OpenAI-compatible server as a node serves it. */
export interface HttpRunnerOptions extends Partial<Omit<DeskOptions, "slots">>, ComebackOptions {
  /** Where its API begins, such as http://localhost:8080/v1. */
  readonly url: string;
  /** The model's name at the server. */
  readonly model: string;
  /** Names under which jobs may ask for it. */
  readonly models: readonly string[];
  /** Jobs at once. Default: as many as the server has slots (llama-server), else 4. */
  readonly slots?: number | undefined;
  /** `completions`: the prompt as it is; `chat`: as a user's message, in the model's own template. Default completions. */
  readonly api?: "completions" | "chat" | undefined;
  /** Sent as a bearer token. */
  readonly apiKey?: string | undefined;
  /** Longest context of one job, tokens. Default: as the server says, where it does (llama-server, vLLM). */
  readonly contextTokensMax?: number | undefined;
  /** Tokens of context of all jobs together. Default: every slot's full context; what a job needs for all, once the slots of a llama-server have turned out to share them. */
  readonly kvTokensMax?: number | undefined;
  /** Default 0: the likeliest token. */
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
  /** Asks for outputs up to their bound, past the model's own end (llama-server, vLLM). Jobs without a prompt always do. Default false. */
  readonly ignoreEos?: boolean | undefined;
  /** How long a server may take to load its model at the start, ms. Default 600,000. */
  readonly loadMs?: number | undefined;
  /** Longest wait for the first token, ms. Default 300,000. */
  readonly firstTokenMs?: number | undefined;
  /** Longest silence after it, ms. Default 60,000. */
  readonly silenceMs?: number | undefined;
}

interface Request {
  readonly abort: AbortController;
  readonly hash: Hash;
  /** Output tokens so far, as far as is known: a piece may stand for more than one, and tell only at the end. */
  outputTokens: number;
  /** Text that is not told yet: one token is kept back for what may come after as many as there may be. */
  held: string;
  /** What the server has said last. */
  finishReason: string | null;
  promptTokens: number | undefined;
  timer: NodeJS.Timeout;
}

/**
 * Hands jobs to an OpenAI-compatible server (llama-server, Ollama, vLLM), as many at once as it has slots. What the server
 * refuses, breaks off or leaves unanswered fails with `runner-failed`; one that does not answer at all gets nothing until it
 * does. How many tokens there were is the server's word, with each piece (llama-server, vLLM) or at the end (`usage`); where it
 * gives none, each piece of text counts as one.
 */
export class HttpRunner extends DeskRunner<Request> {
  readonly #options: HttpRunnerOptions;
  readonly #server: OpenAiServer;
  readonly #comeback: Comeback;
  #facts: ServerFacts | null = null;

  /** @throws RangeError for an option out of range. */
  constructor(options: HttpRunnerOptions) {
    super({ tokensIntervalMs: 50, ...options, slots: options.slots ?? 4 });
    this.#options = options;
    this.#server = new OpenAiServer(options.url, options.apiKey);
    this.#comeback = new Comeback(this.desk, options, async () => (await this.#server.find(options.model)).engine);
  }

  async start(): Promise<RunnerFacts> {
    const { url, model, models, loadMs = 600_000 } = this.#options;
    const facts = await this.#server.find(model, loadMs);
    this.#facts = facts;
    const contextTokensMax = this.#options.contextTokensMax ?? facts.contextTokensMax;
    if (contextTokensMax === undefined) throw new RunnerError(`${url} does not say how long a context ${model} takes: set it`);
    if (facts.contextTokensMax !== undefined && contextTokensMax > facts.contextTokensMax) {
      throw new RunnerError(`${url} has ${facts.contextTokensMax} tokens of context for a job, not ${contextTokensMax}`);
    }
    this.desk.slots = this.#options.slots ?? facts.slots ?? this.slots;
    const capacity = { models, contextTokensMax, kvTokensMax: this.#options.kvTokensMax ?? contextTokensMax * this.slots };
    this.desk.capacity = capacity;
    this.#comeback.start();
    return { engine: facts.engine, slots: this.slots, ...capacity };
  }

  stop(): Promise<void> {
    this.#comeback.stop();
    this.desk.close("shutting-down");
    return Promise.resolve();
  }

  protected begin(entry: DeskJob<Request>): void {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#options.firstTokenMs ?? 300_000);
    entry.engine = { abort, timer, hash: createHash("sha256"), outputTokens: 0, held: "", finishReason: null, promptTokens: undefined };
    this.desk.started(entry);
    void this.#serve(entry, entry.engine);
  }

  protected abort({ engine }: DeskJob<Request>): void {
    clearTimeout(engine?.timer);
    engine?.abort.abort();
  }

  #body({ prompt, inputTokens, maxOutputTokens }: RunnerJob): Record<string, unknown> {
    const { model, api = "completions", temperature = 0, topP, seed, ignoreEos = false } = this.#options;
    const { dialect, commonTokens } = this.#facts!;
    // Never the same twice: servers keep what they have read, and would be measured too fast.
    const asked = prompt ?? (api === "completions" && commonTokens !== null
      ? Array.from({ length: inputTokens }, () => randomInt(...commonTokens))
      : new PseudoText(randomUUID()).take(inputTokens));
    return {
      model,
      ...(api === "chat" ? { messages: [{ role: "user", content: asked }] } : { prompt: asked }),
      max_tokens: maxOutputTokens,
      temperature,
      ...(topP === undefined ? {} : { top_p: topP }),
      ...(seed === undefined ? {} : { seed }),
      // Servers that do not know it pass it over.
      ...(ignoreEos || prompt === undefined ? { ignore_eos: true } : {}),
      ...(dialect === "llama.cpp" ? { timings_per_token: true } : {}),
      stream: true,
      stream_options: { include_usage: true, ...(dialect === "vllm" ? { continuous_usage_stats: true } : {}) },
    };
  }

  async #serve(entry: DeskJob<Request>, request: Request): Promise<void> {
    const { api = "completions" } = this.#options;
    try {
      const response = await this.#server.post(api === "chat" ? "chat/completions" : "completions", this.#body(entry.job), request.abort.signal);
      if (response.headers.get("content-type")?.includes("json") === true) this.#take(entry, request, readChunk(await response.text()));
      else await this.#stream(entry, request, response.body!);
      if (entry.state !== "ended") this.#finish(entry, request);
    } catch (error) {
      // Cancelled jobs are not at the desk any more.
      if (entry.state !== "ended") this.#fail(entry, request, error as Error);
    } finally {
      clearTimeout(request.timer);
      request.abort.abort();
    }
  }

  async #stream(entry: DeskJob<Request>, request: Request, body: ReadableStream<Uint8Array>): Promise<void> {
    const { silenceMs = 60_000 } = this.#options;
    let over = false;
    const parser = createParser({
      onEvent: ({ data }) => {
        over ||= data === "[DONE]";
        if (over) return;
        const chunk = readChunk(data);
        this.#take(entry, request, chunk);
        // Neither comments that keep the line open nor the role that chats begin with say that there is an output.
        if (chunk.text === "") return;
        clearTimeout(request.timer);
        request.timer = setTimeout(() => request.abort.abort(), silenceMs);
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of body) {
      parser.feed(decoder.decode(bytes, { stream: true }));
      if (entry.state === "ended") return;
    }
  }

  #take(entry: DeskJob<Request>, request: Request, { text, outputTokens, promptTokens, finishReason }: Chunk): void {
    // What says how it ended and what it took may come in different pieces.
    request.finishReason = finishReason ?? request.finishReason;
    request.promptTokens = promptTokens ?? request.promptTokens;
    request.outputTokens = outputTokens ?? request.outputTokens + (text === "" ? 0 : 1);
    if (text === "") return;
    request.hash.update(text);
    request.held += text;
    const fresh = Math.min(request.outputTokens, entry.job.maxOutputTokens - 1) - entry.outputTokens;
    if (fresh < 1) return;
    this.desk.tokens(entry, fresh, request.held);
    request.held = "";
  }

  #finish(entry: DeskJob<Request>, request: Request): void {
    const { job: { maxOutputTokens, inputTokens, prompt }, outputTokens: told } = entry;
    const { finishReason, promptTokens, held } = request;
    if (finishReason === null) throw new Error("ended in mid-answer");
    const rest = Math.min(maxOutputTokens, Math.max(request.outputTokens, told + (held === "" ? 0 : 1))) - told;
    if (rest > 0) this.desk.tokens(entry, rest, held);
    // Known only now, with the work done: what exceeds the client's bound is the operator's loss.
    const billed = prompt === undefined || promptTokens === undefined ? undefined : Math.min(inputTokens, promptTokens);
    this.desk.finished(entry, finishReason === "length" ? "length" : "stop", request.hash.digest("hex"), billed);
  }

  #fail(entry: DeskJob<Request>, request: Request, error: Error): void {
    const isFault = error instanceof ServerFault;
    // Broken off, timed out, refused by whoever stands before it: is it still there?
    if (!isFault) this.#comeback.doubt();
    if (!isFault || error.context !== "job") {
      const what = isFault ? error.message : request.abort.signal.aborted ? "falls silent" : reasonOf(error);
      const pooled = isFault && error.context === "pool" ? `: its slots share ${this.#sharePool()} tokens of context, and get no more from now on` : "";
      this.#options.onEngine?.("failed", `${this.#options.url}: ${what}${pooled}`);
    }
    this.desk.failed(entry, reasonFor(error, entry.job));
  }

  /** The slots have turned out to share what each of them may take. @returns so many tokens */
  #sharePool(): number {
    const capacity = this.desk.capacity!;
    const kvTokensMax = Math.min(capacity.kvTokensMax, capacity.contextTokensMax);
    this.desk.capacity = { ...capacity, kvTokensMax };
    return kvTokensMax;
  }
}

/** A prompt for which there is no room, though what was declared of it has, is longer than that. */
const reasonFor = (error: Error, { inputTokens }: RunnerJob): RefusalReason => {
  if (!(error instanceof ServerFault) || error.context !== "job") return "runner-failed";
  return (error.promptTokens ?? 0) > inputTokens ? "input-over-declared" : "context-too-long";
};
