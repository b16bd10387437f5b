import { type Attributes, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace, TraceFlags, type Tracer } from "@opentelemetry/api";
import type * as Otlp from "@opentelemetry/exporter-trace-otlp-http";
import type * as Resources from "@opentelemetry/resources";
import type * as Sdk from "@opentelemetry/sdk-trace-base";
import { sha256Hex } from "../../protocol/canonical.ts";
import type { JobId, PeerId } from "../../protocol/messages.ts";
import type { Role } from "./watcher.ts";

/** Where traces go. */
export interface TracingOptions {
  /**
   * Base address of a collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; absent: as the exporter reads it from
   * OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT.
   */
  readonly endpoint?: string | undefined;
  /** Share of jobs that are traced, 0 to 1; default 1. The same jobs are chosen by everybody. */
  readonly share?: number | undefined;
  /** How packages are loaded; a test makes them missing. */
  readonly load?: ((name: string) => Promise<unknown>) | undefined;
}

/** Traces cannot be made: in words for the operator. */
export class TracingError extends Error {
  override readonly name = "UserError";
}

/** What an environment asks for: a collector's address in one of OpenTelemetry's own variables. */
export function isTracingAskedFor(env: NodeJS.ProcessEnv): boolean {
  return (env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "") !== "" || (env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] ?? "") !== "";
}

/**
 * A job's trace: SHA-256 of its id, the first 16 bytes. Whoever works on a job finds its trace and the spans above its own by
 * names alone, so that no message has to carry them.
 */
export function traceIdOf(jobId: JobId): string {
  return sha256Hex(jobId).slice(0, 32);
}

/** Names of the spans that others hang theirs under. */
export type SpanName = "job" | "route" | `attempt ${number}`;

export function spanIdOf(jobId: JobId, name: SpanName): string {
  return sha256Hex(`${jobId}/${name}`).slice(0, 16);
}

/** Opened by one process: makes spans of jobs and sends them to a collector. */
export class Tracing {
  readonly #tracer: Tracer;
  readonly #provider: Sdk.BasicTracerProvider;
  readonly #ids: { traceId: string; spanId: string | undefined };

  private constructor(provider: Sdk.BasicTracerProvider, ids: { traceId: string; spanId: string | undefined }) {
    this.#provider = provider;
    this.#tracer = provider.getTracer("infernet-lab");
    this.#ids = ids;
  }

  /** @throws TracingError where the packages are not installed. */
  static async open(role: Role, peer: PeerId, options: TracingOptions = {}): Promise<Tracing> {
    const load = options.load ?? ((name: string): Promise<unknown> => import(name));
    let sdk: typeof Sdk;
    let otlp: typeof Otlp;
    let resources: typeof Resources;
    try {
      sdk = await load("@opentelemetry/sdk-trace-base") as typeof sdk;
      otlp = await load("@opentelemetry/exporter-trace-otlp-http") as typeof otlp;
      resources = await load("@opentelemetry/resources") as typeof resources;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
      throw new TracingError("Traces are asked for, and their packages are not installed: npm install @opentelemetry/sdk-trace-base @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources, or unset OTEL_EXPORTER_OTLP_ENDPOINT.");
    }
    const ids: { traceId: string; spanId: string | undefined } = { traceId: "", spanId: undefined };
    const random = new sdk.RandomIdGenerator();
    const { endpoint, share = 1 } = options;
    const exporter = new otlp.OTLPTraceExporter(endpoint === undefined ? {} : { url: `${endpoint.replace(/\/$/, "")}/v1/traces` });
    const provider = new sdk.BasicTracerProvider({
      resource: resources.resourceFromAttributes({ "service.name": `infernet-${role}`, "service.namespace": "infernet", "service.instance.id": peer }),
      // By the trace's id, that is by the job's: not by what another process has decided, which cannot be known here.
      sampler: new sdk.TraceIdRatioBasedSampler(share),
      idGenerator: { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId ?? random.generateSpanId() },
      spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
    });
    return new Tracing(provider, ids);
  }

  /**
   * Begins a span.
   * @param name one that others hang theirs under; any other text: a span that nobody else needs to find
   * @param parent null: the trace's first
   * @param atMs ms since 1970; default: now
   */
  begin(jobId: JobId, name: SpanName | "queue" | "prefill" | "decode", parent: SpanName | null, kind: "client" | "server" | "internal", attributes: Attributes = {}, atMs?: number): Span {
    const traceId = traceIdOf(jobId);
    const found = name === "job" || name === "route" || name.startsWith("attempt ") ? spanIdOf(jobId, name as SpanName) : undefined;
    this.#ids.traceId = traceId;
    this.#ids.spanId = found;
    const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: spanIdOf(jobId, parent), traceFlags: TraceFlags.SAMPLED, isRemote: true });
    return this.#tracer.startSpan(name.replace(/ \d+$/, ""), {
      kind: KINDS[kind], root: parent === null, attributes: { "infernet.job.id": jobId, ...attributes }, ...(atMs === undefined ? {} : { startTime: atMs }),
    }, context);
  }

  /** Ends a span that came to nothing. @param reason a code */
  fail(span: Span, reason: string, atMs?: number): void {
    span.setStatus({ code: SpanStatusCode.ERROR, message: reason });
    span.end(atMs);
  }

  /** Sends what is left, for some seconds at most. */
  async close(): Promise<void> {
    try {
      await this.#provider.shutdown();
    } catch {
      // The collector is gone: nobody is the poorer but the trace.
    }
  }
}

const KINDS = { client: SpanKind.CLIENT, server: SpanKind.SERVER, internal: SpanKind.INTERNAL } as const;
