import { z } from "zod";
import { RunnerError } from "../live-runner.ts";
import { faultOf, jsonOf } from "./wire.ts";

const modelList = z.object({
  data: z.array(z.object({
    id: z.string(),
    // llama-server: further names of the same model. Ollama takes NAME for NAME:latest.
    aliases: z.array(z.string()).nullish().catch(null),
    owned_by: z.string().nullish().catch(null),
    // vLLM.
    max_model_len: z.int().positive().nullish(),
    // llama-server: the context of a slot.
    meta: z.object({ n_ctx: z.int().positive().nullish(), n_vocab: z.int().positive().nullish() }).nullish().catch(null),
  })).nullable(),
});
type Listed = NonNullable<z.infer<typeof modelList>["data"]>[number];

const llamaProps = z.object({ total_slots: z.int().positive().nullish(), build_info: z.string().nullish(), default_generation_settings: z.object({ n_ctx: z.int().positive().nullish() }).nullish() });
const versionOf = z.object({ version: z.string().regex(/^[\w.+-]{1,40}$/) });

/** What a server says of itself and of a model. */
export interface ServerFacts {
  /** Whose server it is, with its version where it tells: for people. */
  readonly engine: string;
  /** Whose further fields it knows. */
  readonly dialect: "llama.cpp" | "vllm" | null;
  /** Longest context of one job, tokens. */
  readonly contextTokensMax: number | undefined;
  readonly slots: number | undefined;
  /** First and one past the last of common tokens, where it takes prompts as tokens. */
  readonly commonTokens: readonly [number, number] | null;
}

/** How long a server may take to say what it serves, and between looks at one that loads, ms. */
const START_MS = 5_000;
const LOOK_MS = 250;
const ERROR_BYTES_MAX = 10_000;

/** An OpenAI-compatible server. */
export class OpenAiServer {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @throws RangeError for an address that is none. */
  constructor(url: string, apiKey?: string) {
    if (!/^https?:\/\//.test(url)) throw new RangeError(`a server's address begins with http:// or https://, unlike ${url}`);
    this.#base = url.replace(/\/+$/, "");
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  }

  /**
   * Looks whether it serves a model.
   * @param patienceMs how long it may take to load it
   * @throws RunnerError in words for the operator
   */
  async find(model: string, patienceMs = 0): Promise<ServerFacts> {
    const untilMs = performance.now() + patienceMs;
    for (;;) {
      const listed = await this.#listed();
      if (listed !== "loading") return this.#factsOf(model, listed);
      if (performance.now() >= untilMs) throw new RunnerError(`${this.#base} is still loading its model${patienceMs === 0 ? "" : ` after ${Math.round(patienceMs / 1_000)} s`}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** @throws ServerFault where it refuses; Error where it does not answer */
  async post(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const response = await fetch(`${this.#base}/${path}`, { method: "POST", headers: { ...this.#headers, "content-type": "application/json" }, body: JSON.stringify(body), signal });
    if (response.ok && response.body !== null) return response;
    // Gateways say these of servers that are gone, llama-server the second of itself while it loads.
    if ([502, 503, 504].includes(response.status)) throw new Error(`answers ${response.status}`);
    throw faultOf(`answers ${response.status}`, (await response.text()).slice(0, ERROR_BYTES_MAX), response.status);
  }

  /** Null where it keeps no list. */
  async #listed(): Promise<Listed[] | null | "loading"> {
    let response: Response;
    try {
      response = await this.#get(`${this.#base}/models`);
    } catch (error) {
      throw new RunnerError(`no server answers at ${this.#base} (${reasonOf(error)}): is it running?`, { cause: error });
    }
    const { status } = response;
    const text = await response.text();
    if (status === 401 || status === 403) throw new RunnerError(`${this.#base} refuses the API key (${status})`);
    if (status === 404) return null;
    if (status === 503) return "loading";
    if (!response.ok) throw new RunnerError(`${this.#base}/models answers ${status}`);
    const list = modelList.safeParse(jsonOf(text));
    if (!list.success) throw new RunnerError(`${this.#base} is no OpenAI-compatible server: ${this.#base}/models answers something else (does the address end in /v1?)`);
    return list.data.data ?? [];
  }

  async #factsOf(model: string, listed: readonly Listed[] | null): Promise<ServerFacts> {
    const found = listed?.find(({ id, aliases }) => id === model || id === `${model}:latest` || aliases?.includes(model) === true);
    if (listed !== null && listed.length > 0 && found === undefined) {
      throw new RunnerError(`${this.#base} does not serve ${model}; it serves ${listed.map(({ id }) => id).slice(0, 10).join(", ")}`);
    }
    const owner = found?.owned_by ?? "";
    const dialect = owner === "llamacpp" ? "llama.cpp" : owner === "vllm" ? "vllm" : null;
    const props = dialect === "llama.cpp" ? await this.#ask("props", llamaProps) : null;
    const vocabulary = found?.meta?.n_vocab ?? undefined;
    return {
      engine: dialect === "llama.cpp" ? `llama-server ${props?.build_info ?? ""}`.trim() : await this.#otherEngine(owner),
      dialect,
      contextTokensMax: found?.max_model_len ?? found?.meta?.n_ctx ?? props?.default_generation_settings?.n_ctx ?? undefined,
      slots: props?.total_slots ?? undefined,
      // The first and the last are special or rare. vLLM does not say how many there are.
      commonTokens: dialect === "vllm" ? [1_000, 2_000] : dialect === "llama.cpp" && vocabulary !== undefined ? [vocabulary >> 2, vocabulary >> 1] : null,
    };
  }

  async #otherEngine(owner: string): Promise<string> {
    const [make, path] = owner === "vllm" ? ["vLLM", "version"] : owner === "library" ? ["Ollama", "api/version"] : ["OpenAI-compatible server", ""];
    const told = path === "" ? null : await this.#ask(path, versionOf);
    return told === null ? make : `${make} ${told.version}`;
  }

  /** Asks beside the common API; null where there is no such answer. */
  async #ask<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
    try {
      const response = await this.#get(`${this.#base.replace(/\/v1$/, "")}/${path}`);
      return schema.safeParse(jsonOf(await response.text())).data ?? null;
    } catch {
      return null;
    }
  }

  #get(url: string): Promise<Response> {
    return fetch(url, { headers: this.#headers, signal: AbortSignal.timeout(START_MS) });
  }
}

/** What kept a request from its answer, in few words; fetch wraps what really happened. */
export const reasonOf = (error: unknown): string => {
  const { cause, name, message } = error as Error & { cause?: { code?: unknown; message?: unknown } };
  if (name === "TimeoutError") return `silent for ${START_MS / 1_000} s`;
  return typeof cause?.code === "string" ? cause.code : typeof cause?.message === "string" ? cause.message : message;
};
