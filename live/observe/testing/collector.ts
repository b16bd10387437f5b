import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as OTLP/HTTP carries it in JSON. */
export interface CollectedSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly statusMessage: string | undefined;
}

interface Attribute { readonly key: string; readonly value: Readonly<Record<string, unknown>> }
interface Body {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly (Omit<CollectedSpan, "attributes" | "status" | "events"> & {
      readonly startTimeUnixNano: string; readonly endTimeUnixNano: string; readonly attributes: readonly Attribute[];
      readonly events?: readonly { readonly name: string }[]; readonly status?: { readonly code?: number; readonly message?: string };
    })[] }[];
  }[];
}

/** A collector of traces: OTLP over HTTP, in JSON. */
export class Collector {
  /** Every request's body, as it came. */
  readonly bodies: string[] = [];
  readonly spans: CollectedSpan[] = [];
  readonly #server: Server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (more: string) => { text += more; }).on("end", () => {
      if (request.url === "/v1/traces" && request.headers["content-type"] === "application/json") this.#take(text);
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => { this.#server.listen(0, "127.0.0.1", resolve); });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => { this.#server.close(resolve); });
  }

  #take(text: string): void {
    this.bodies.push(text);
    for (const { resource, scopeSpans } of (JSON.parse(text) as Body).resourceSpans) {
      const service = String(plain(resource.attributes)["service.name"]);
      for (const { spans } of scopeSpans) {
        for (const { traceId, spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano, attributes, events, status } of spans) {
          this.spans.push({
            service, traceId, spanId, parentSpanId, name, kind, startNs: BigInt(startTimeUnixNano), endNs: BigInt(endTimeUnixNano), attributes: plain(attributes),
            events: (events ?? []).map((event) => event.name), status: status?.code ?? 0, statusMessage: status?.message,
          });
        }
      }
    }
  }
}

function plain(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
