/** A request that a real server served. Times in microseconds since the first of the log was queued. */
export interface TimedRequest {
  readonly queuedUs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly firstTokenUs: number;
  readonly lastTokenUs: number;
}

/** Requests in the order in which they were queued, and the limits of the server, as far as the log states them. */
export interface RequestLog {
  readonly requests: readonly TimedRequest[];
  readonly limits: {
    readonly maxSequences: number | null;
    readonly batchTokens: number | null;
    readonly contextTokens: number | null;
    readonly kvTokens: number | null;
  };
}

const numberIn = (record: Readonly<Record<string, unknown>>, name: string, line: number): number => {
  const value = record[name];
  if (typeof value !== "number" || !Number.isFinite(value)) throw new RangeError(`line ${line}: ${name} is ${JSON.stringify(value)}; expected a number`);
  return value;
};

/**
 * Reads JSON lines with `input_toks`, `output_toks` and, in seconds, `queued_ts`, `first_token_ts` and `last_token_ts`, as
 * LLMServingSim records them; and the server's limits from the JSON beside them, where there is one (`engine_kwargs`, `kv_cache`).
 * @throws RangeError, naming the line, for what is not like that.
 */
export function readRequestLog(jsonl: string, meta: string | null = null): RequestLog {
  const rows = jsonl.split("\n").flatMap((text, i) => {
    if (text.trim() === "") return [];
    let record: Readonly<Record<string, unknown>>;
    try {
      record = JSON.parse(text) as Readonly<Record<string, unknown>>;
    } catch {
      throw new RangeError(`line ${i + 1} is not JSON`);
    }
    const at = (name: string): number => numberIn(record, name, i + 1);
    const row = { line: i + 1, input: at("input_toks"), output: at("output_toks"), queuedS: at("queued_ts"), firstS: at("first_token_ts"), lastS: at("last_token_ts") };
    if (!(row.output >= 1 && row.firstS > row.queuedS && row.lastS >= row.firstS)) {
      throw new RangeError(`line ${i + 1}: expected at least one output token, and queued_ts < first_token_ts <= last_token_ts`);
    }
    return [row];
  });
  if (rows.length === 0) throw new RangeError("there are no requests");
  const startS = rows.reduce((first, { queuedS }) => Math.min(first, queuedS), Infinity);
  const us = (timeS: number): number => (timeS - startS) * 1e6;
  const { engine_kwargs: engine, kv_cache: cache } = (meta === null ? {} : JSON.parse(meta)) as {
    engine_kwargs?: { max_num_seqs?: number | null; max_num_batched_tokens?: number | null; max_model_len?: number | null };
    kv_cache?: { num_kv_tokens?: number | null } | null;
  };
  return {
    requests: rows
      .map(({ input, output, queuedS, firstS, lastS }) => ({ queuedUs: Math.round(us(queuedS)), inputTokens: input, outputTokens: output, firstTokenUs: us(firstS), lastTokenUs: us(lastS) }))
      .sort((a, b) => a.queuedUs - b.queuedUs),
    limits: {
      maxSequences: engine?.max_num_seqs ?? null, batchTokens: engine?.max_num_batched_tokens ?? null,
      contextTokens: engine?.max_model_len ?? null, kvTokens: cache?.num_kv_tokens ?? null,
    },
  };
}
