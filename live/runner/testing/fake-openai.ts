import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { PseudoText } from "../pseudo-text.ts";

/** What a fake server does with one request; all defaults are those of a server that works. */
export interface FakeAnswer {
  /** HTTP status, with this body. */
  readonly status?: number;
  readonly body?: string;
  /** Output tokens at which it ends by itself. Default: `max_tokens`. */
  readonly tokens?: number;
  /** Tokens put together in a chunk. Default 1. */
  readonly perChunk?: number;
  /** Pause before the first token and between tokens, ms. Default 0. */
  readonly firstMs?: number;
  readonly tokenMs?: number;
  /** After so many tokens: the connection is broken; it falls silent; it says that it failed; it ends without a word. */
  readonly after?: { readonly tokens: number; readonly what: "break" | "stall" | "error" | "end" };
  readonly usage?: boolean;
  /** Answers in one piece. */
  readonly whole?: boolean;
  /** Says just this, an event stream, so many bytes at a time. */
  readonly replay?: { readonly stream: Buffer; readonly bytesAtOnce: number };
}

/** An OpenAI-compatible server that counts words as tokens. */
export class FakeOpenAi {
  readonly requests: Record<string, unknown>[] = [];
  /** Requests whose connection the client has closed. */
  aborted = 0;
  /** Answers of GET /v1/models. */
  models: unknown = { data: [{ id: "fake", max_model_len: 512 }] };
  modelsStatus = 200;
  /** Answers of other requests without a body, by path. */
  others: Readonly<Record<string, unknown>> = {};
  answer: (body: Record<string, unknown>) => FakeAnswer = () => ({});
  #server: Server | null = null;

  /** @returns the API's address. */
  async start(): Promise<string> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => this.#server!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve) ?? resolve(undefined));
  }

  /** Breaks every connection, as a server that dies does. */
  breakAll(): void {
    this.#server?.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === "/v1/models") return void response.writeHead(this.modelsStatus, { "content-type": "application/json" }).end(JSON.stringify(this.models));
    if (request.method === "GET") return void response.writeHead(request.url! in this.others ? 200 : 404).end(JSON.stringify(this.others[request.url!] ?? {}));
    let text = "";
    for await (const bytes of request.setEncoding("utf8")) text += bytes as string;
    const body = JSON.parse(text) as Record<string, unknown>;
    this.requests.push(body);
    const answer = this.answer(body);
    if (answer.status !== undefined) return void response.writeHead(answer.status).end(answer.body ?? "");
    let closed = false;
    response.on("close", () => {
      if (!response.writableFinished) this.aborted++;
      closed = true;
    });
    const chat = request.url === "/v1/chat/completions";
    const prompt = chat ? (body["messages"] as { content: string }[])[0]!.content : String(body["prompt"]);
    const most = Number(body["max_tokens"]);
    const tokens = Math.min(answer.tokens ?? most, most);
    const usage = answer.usage === false ? {} : { usage: { prompt_tokens: prompt.split(" ").length, completion_tokens: tokens } };
    const reason = (answer.tokens ?? Infinity) <= most ? "stop" : "length";
    const output = new PseudoText(prompt);
    const piece = (said: string): unknown => (chat ? { delta: { content: said } } : { text: said });
    const sleep = (ms: number | undefined): Promise<unknown> | undefined => (ms === undefined || ms === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, ms)));
    await sleep(answer.firstMs);
    if (answer.whole === true) {
      const said = output.take(tokens);
      response.writeHead(200, { "content-type": "application/json" });
      return void response.end(JSON.stringify({ choices: [{ ...(chat ? { message: { content: said } } : { text: said }), finish_reason: reason }], ...usage }));
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    if (answer.replay !== undefined) {
      const { stream, bytesAtOnce } = answer.replay;
      for (let at = 0; at < stream.length && !closed; at += bytesAtOnce) {
        // Each piece a write of its own, in a turn of its own.
        await new Promise((resolve) => response.write(stream.subarray(at, at + bytesAtOnce), resolve));
      }
      return void response.end();
    }
    const say = (event: unknown): void => void response.write(`data: ${JSON.stringify(event)}\r\n\r\n`);
    response.write(": a comment, as servers send to keep the line open\n\n");
    for (let token = 0; token < tokens && !closed;) {
      if (answer.after?.tokens === token) {
        if (answer.after.what === "break") return void response.destroy();
        if (answer.after.what === "stall") return;
        if (answer.after.what === "end") return void response.end();
        say({ error: { message: "out of memory" } });
      }
      const count = Math.min(answer.perChunk ?? 1, tokens - token);
      say({ choices: [{ ...(piece(output.take(count)) as object), finish_reason: null }] });
      token += count;
      await sleep(answer.tokenMs);
    }
    say({ choices: [{ ...(piece("") as object), finish_reason: reason }] });
    if (answer.usage !== false) say({ choices: [], ...usage });
    response.end("data: [DONE]\n\n");
  }
}
