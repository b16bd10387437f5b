import { z } from "zod";

/** What of an answer's pieces matters here; whole answers have the same parts. */
const completionChunk = z.object({
  choices: z.array(z.object({
    text: z.string().nullish(),
    delta: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish(), reasoning: z.string().nullish() }).nullish(),
    message: z.object({ content: z.string().nullish() }).nullish(),
    finish_reason: z.string().nullish(),
  })).nullish(),
  usage: z.object({ prompt_tokens: z.int().min(0).nullish(), completion_tokens: z.int().min(0).nullish() }).nullish(),
  // llama-server's, with `timings_per_token`.
  timings: z.object({ predicted_n: z.int().min(0).nullish() }).nullish().catch(null),
  error: z.unknown().optional(),
});

/** A piece of an answer, or all of it. */
export interface Chunk {
  readonly text: string;
  /** Output tokens up to here, where the server says it. */
  readonly outputTokens: number | undefined;
  readonly promptTokens: number | undefined;
  /** Null while the answer goes on. */
  readonly finishReason: string | null;
}

/** @throws ServerFault where the server says that it failed, or says what no such server does. */
export const readChunk = (json: string): Chunk => {
  const read = completionChunk.safeParse(jsonOf(json));
  if (!read.success) throw new ServerFault("answers what is no completion");
  const { choices, usage, timings, error } = read.data;
  if (error !== undefined && error !== null) throw faultOf("breaks off", json);
  const choice = choices?.[0];
  return {
    text: (choice?.text ?? "") + (choice?.delta?.reasoning_content ?? choice?.delta?.reasoning ?? "") + (choice?.delta?.content ?? "") + (choice?.message?.content ?? ""),
    // Ollama says 0 of both with every piece but the last.
    outputTokens: (usage?.completion_tokens ?? timings?.predicted_n) || undefined,
    promptTokens: usage?.prompt_tokens || undefined,
    finishReason: choice?.finish_reason ?? null,
  };
};

/** A server did not do what it was asked. The message is for the operator, and holds nothing of prompts or outputs. */
export class ServerFault extends Error {
  override readonly name = "ServerFault";
  /** What kept it from doing so lies in the job: it needs more context than a slot has, or than all slots share at that moment. */
  readonly context: "job" | "pool" | null;
  /** Tokens of the prompt, where the server counted them before it refused. */
  readonly promptTokens: number | undefined;

  constructor(message: string, context: ServerFault["context"] = null, promptTokens?: number) {
    super(message);
    this.context = context;
    this.promptTokens = promptTokens;
  }
}

const errorBody = z.object({ error: z.union([z.string(), z.object({ message: z.string().nullish(), type: z.string().nullish(), code: z.union([z.string(), z.number()]).nullish(), n_prompt_tokens: z.int().nullish() })]) });

/**
 * @param what it did, in words
 * @param body what it said of it
 * @param status of its answer, where the answer is nothing else
 */
export const faultOf = (what: string, body: string, status?: number): ServerFault => {
  const read = errorBody.safeParse(jsonOf(body));
  const error = read.success ? read.data.error : body;
  const { message = "", type = "", n_prompt_tokens: promptTokens } = typeof error === "string" ? { message: error } : error;
  // Messages may repeat what they were given; kinds of errors are names.
  const named = /^[\w.-]{1,64}$/.test(type ?? "") ? `${what} (${type})` : what;
  // llama-server, where slots share one pool and none of it is left: all of them fail, in mid-stream.
  if (/^context size has been exceeded/i.test(message ?? "")) return new ServerFault(named, "pool");
  // Servers have no common word for it, but all say "context", or vLLM's name for its length.
  if (status === 400 && /context|max_model_len/i.test(message ?? "")) return new ServerFault(named, "job", promptTokens ?? countIn(message ?? ""));
  return new ServerFault(named);
};

/** How long vLLM says that a prompt is: at least so many tokens. */
const countIn = (message: string): number | undefined => {
  const told = /(\d{1,15}) input tokens/.exec(message)?.[1];
  return told === undefined ? undefined : Number(told);
};

/** Null for what is no JSON. */
export const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
