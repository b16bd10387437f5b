import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { HttpRunner } from "../runner/http.ts";
import { LiveTelemetry } from "../telemetry.ts";
import { testSigner, until } from "../testing/peers.ts";
import { SmallMarket } from "../testing/small-market.ts";
import { LedgerServer } from "../wallet/ledger-server.ts";
import { RemoteWallet } from "../wallet/remote-wallet.ts";
import { Bounded } from "./bounded.ts";
import { Log, logWatcher, placeOf } from "./log.ts";
import { Observer, type ObserverOptions } from "./observer.ts";
import { Collector } from "./testing/collector.ts";
import { spanIdOf, traceIdOf, Tracing } from "./tracing.ts";

const toStop: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => { for (const stop of toStop.splice(0).reverse()) await stop(); });

const ask = { model: "mock", prompt: "Why is the sky blue?", inputTokens: 40, maxOutputTokens: 30, maxPriceMsat: 100_000, patienceUs: 20_000_000 };

/** An observer of all three kinds, and what it wrote. */
const observe = async (options: Pick<ObserverOptions, "role" | "peer"> & Partial<ObserverOptions>) => {
  const lines: string[] = [];
  const observer = await Observer.open({ log: "debug", logTo: { write: (line) => void lines.push(line) }, metrics: { host: "127.0.0.1", port: 0 }, processMetrics: false, tracing: null, ...options });
  let closed: Promise<void> | null = null;
  const close = (): Promise<void> => closed ??= observer.close();
  toStop.push(close);
  const scrape = async (): Promise<string> => (await fetch(observer.metricsUrl!)).text();
  return { observer, lines, scrape, close };
};

/** A market in which everybody is observed. */
const observedMarket = async (tracing: ObserverOptions["tracing"] = null) => {
  const signers = { router: testSigner(), node: testSigner(), client: testSigner() };
  const seen = {
    router: await observe({ role: "router", peer: signers.router.publicKey, tracing }),
    node: await observe({ role: "node", peer: signers.node.publicKey, tracing }),
    client: await observe({ role: "client", peer: signers.client.publicKey, tracing }),
  };
  const market = await new SmallMarket().start({}, { signer: signers.router, observer: seen.router.observer });
  toStop.push(() => market.stop());
  return { market, signers, seen };
};

/** Samples by their name and labels, without the role. */
const samples = (text: string): Map<string, number> => {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (match === null) continue;
    const labels = (match[2] ?? "").split(",").filter((label) => !label.startsWith("role=")).join(",");
    found.set(labels === "" ? match[1]! : `${match[1]}{${labels}}`, Number(match[3]));
  }
  return found;
};

describe("metrics", () => {
  test("count what happened, at everybody", async () => {
    const { market, signers, seen } = await observedMarket();
    const node = await market.node({ slots: 2, decodeTokensPerS: 2_000, outputTokens: () => 20 }, { signer: signers.node, observer: seen.node.observer, wallet: market.bank.wallet(signers.node.publicKey) });
    const client = await market.client({ signer: signers.client, observer: seen.client.observer, wallet: market.bank.wallet(signers.client.publicKey) });
    const outcomes = await Promise.all([client.submit(ask).outcome, client.submit(ask).outcome, client.submit({ ...ask, model: "another" }).outcome]);
    expect(outcomes.map(({ status }) => status)).toEqual(["completed", "completed", "rejected"]);
    await until(() => node.node.open === 0 && market.router.router.open === 0 && market.gained(signers.router.publicKey) === 24, "all is paid, and told of");

    const [atClient, atRouter, atNode] = [samples(await seen.client.scrape()), samples(await seen.router.scrape()), samples(await seen.node.scrape())];
    const expected = (at: Map<string, number>, values: Record<string, number>): void => {
      expect(Object.fromEntries(Object.keys(values).map((name) => [name, at.get(name)]))).toEqual(values);
    };
    expected(atClient, {
      infernet_jobs_submitted_total: 3, 'infernet_jobs_total{status="completed"}': 2, 'infernet_jobs_total{status="rejected"}': 1, infernet_jobs_open: 0,
      infernet_time_to_first_token_seconds_count: 2, infernet_time_per_output_token_seconds_count: 2, 'infernet_job_duration_seconds_count{status="completed"}': 2,
      'infernet_tokens_total{direction="input"}': 80, 'infernet_tokens_total{direction="output"}': 40,
      'infernet_charged_msat_total{for="job"}': 240, 'infernet_charged_msat_total{for="fee"}': 24, 'infernet_wallet_msat_total{direction="out",purpose="job"}': 240,
      infernet_wallet_balance_msat: 1_000_000 - 264, infernet_connections: 1,
    });
    expected(atRouter, {
      'infernet_jobs_total{status="completed"}': 2, 'infernet_jobs_total{status="rejected"}': 1, infernet_jobs_open: 0, infernet_attempts_total: 2, infernet_router_jobs_waiting: 0,
      infernet_connections: 2, 'infernet_messages_total{direction="in",type="job"}': 3, 'infernet_messages_total{direction="out",type="award"}': 2,
      'infernet_wallet_msat_total{direction="in",purpose="fee"}': 24, infernet_envelopes_undelivered_total: 0,
    });
    expected(atNode, {
      'infernet_jobs_total{status="completed"}': 2, infernet_runner_slots: 2, infernet_runner_running: 0, infernet_runner_waiting: 0, infernet_queue_seconds_count: 2, infernet_prefill_seconds_count: 2,
      infernet_decode_seconds_count: 2, 'infernet_tokens_total{direction="output"}': 40, 'infernet_wallet_payments_total{event="received",purpose="job"}': 2, infernet_wallet_balance_msat: 1_000_240,
    });
    const seconds = atClient.get('infernet_job_duration_seconds_sum{status="completed"}')!;
    expect(seconds).toBeGreaterThan(0.02);
    expect(seconds).toBeLessThan(10);
  });

  test("are named and described by the conventions, and their labels have few values", async () => {
    const { market, signers, seen } = await observedMarket();
    await market.node({}, { signer: signers.node, observer: seen.node.observer });
    const server = new LedgerServer({ listen: { host: "127.0.0.1", port: 0 } });
    const ledger = await observe({ role: "ledger", peer: "" });
    ledger.observer.metrics.ledger(server);
    for (let n = 0; n < 200; n++) {
      seen.router.observer.telemetry.attemptFailed(`job-${n}`, "0".repeat(64), 1, `reason-${n}`);
      seen.node.observer.watcher.runnerTook({ jobId: `job-${n}`, model: `model-${n}`, inputTokens: 1, maxOutputTokens: 1, priority: 0 });
      seen.node.observer.watcher.runnerSaid({ kind: "failed", jobId: `job-${n}`, reason: `reason-${n}` as "runner-failed" });
    }
    for (const { scrape } of [...Object.values(seen), ledger]) {
      const text = await scrape();
      for (const [, name] of text.matchAll(/^# TYPE (\S+) counter$/gm)) expect(name).toMatch(/^infernet_[a-z_]+_total$/);
      for (const [, name] of text.matchAll(/^# TYPE (\S+) histogram$/gm)) expect(name).toMatch(/^infernet_[a-z_]+_seconds$/);
      for (const [, name] of text.matchAll(/^# TYPE (\S+) gauge$/gm)) expect(name).not.toMatch(/_total$/);
      for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) expect(text).toMatch(new RegExp(`^# HELP ${name} \\S.*\\.$`, "m"));
      const series = new Map<string, number>();
      for (const name of samples(text).keys()) {
        const base = name.replace(/\{.*/, "");
        if (!base.endsWith("_bucket")) series.set(base, (series.get(base) ?? 0) + 1);
      }
      expect(Math.max(...series.values())).toBeLessThanOrEqual(33);
      expect(text).not.toMatch(/job-\d|model-\d/);
    }
    await server.stop();
    const bounded = new Bounded(2);
    expect(["a", "b", "c", "a", "Some text"].map((value) => bounded.of(value))).toEqual(["a", "b", "other", "a", "other"]);
  });

  test("are at /metrics and nowhere else, with the process's own", async () => {
    const { observer } = await observe({ role: "client", peer: "", processMetrics: true });
    const url = observer.metricsUrl!;
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    const text = await answer.text();
    expect(text).toMatch(/^process_cpu_seconds_total\{role="client"\} /m);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds\{role="client"\} /m);
    expect((await fetch(url.replace("/metrics", "/"))).status).toBe(404);
    expect((await fetch(url, { method: "POST" })).status).toBe(405);
  });
});

describe("logs", () => {
  const written = (level: "debug" | "info" = "debug") => {
    const lines: string[] = [];
    return { log: new Log("node", "ab".repeat(32), level, { write: (line) => void lines.push(line) }), lines: (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
  };

  test("hold fields of an allow-list and nothing else", () => {
    const { log, lines } = written();
    log.write("info", "job ended", { jobId: "job-1", status: "completed", durationMs: 1.23456, prompt: "secret", text: "secret", attempt: "secret" } as object);
    expect(lines()).toEqual([{ level: "info", time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/), role: "node", self: "ab".repeat(32), pid: process.pid, jobId: "job-1", status: "completed", durationMs: 1.235, message: "job ended" }]);
  });

  test("do not repeat what an error says", () => {
    const { log, lines } = written();
    try {
      JSON.parse("the secret prompt");
    } catch (error) {
      expect(String(error)).toContain("secret");
      logWatcher(log).fault!(error);
    }
    const [line] = lines();
    expect(line).toMatchObject({ level: "error", message: "fault of the program", error: "SyntaxError" });
    expect(String(line!["at"])).toMatch(/^at .*observe\.test\.ts:\d+:\d+/);
    expect(JSON.stringify(lines())).not.toContain("secret");
    expect(placeOf("a secret")).toEqual({ error: "string", at: [] });
  });

  test("are not filled by a flood, and say how much was left out", async () => {
    const { log, lines } = written();
    const watcher = logWatcher(log);
    for (let n = 0; n < 1_000; n++) watcher.refused!("bad-signature", "");
    const before = lines().length;
    expect(before).toBeLessThanOrEqual(200);
    await new Promise((resolve) => setTimeout(resolve, 1_001));
    watcher.refused!("bad-signature", "");
    expect(lines().at(-1)).toMatchObject({ message: "envelope refused", code: "bad-signature", leftOut: 1_000 - before });
  });

  test("are as loud as they are set", () => {
    const { log, lines } = written("info");
    log.write("debug", "job submitted");
    expect(lines()).toEqual([]);
  });
});

describe("traces", () => {
  test("show a job's way through client, router and nodes as one, and what failed", async () => {
    const collector = new Collector();
    const endpoint = await collector.start();
    toStop.push(() => collector.stop());
    const { market, signers, seen } = await observedMarket({ endpoint });
    await market.node({ slots: 1, decodeTokensPerS: 2_000, outputTokens: () => 20, fault: () => ({ kind: "fail", afterTokens: 2 }) }, { signer: signers.node, observer: seen.node.observer, prices: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 } });
    const client = await market.client({ signer: signers.client, observer: seen.client.observer });
    const first = client.submit(ask);
    await until(() => market.events.some(({ event }) => event === "attempt-failed") || market.events.some(({ event }) => event === "ended"), "the first attempt fails");
    const outcome = await first.outcome;
    expect(outcome).toMatchObject({ status: "failed", reason: "attempts-exhausted" });
    await Promise.all([seen.client.close(), seen.router.close(), seen.node.close()]);

    const { spans } = collector;
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf(first.jobId)]));
    const named = (name: string) => spans.filter((span) => span.name === name);
    expect(spans.map(({ service, name }) => `${service} ${name}`).sort()).toEqual(["infernet-client job", "infernet-node decode", "infernet-node prefill", "infernet-node queue", "infernet-router attempt", "infernet-router route"]);
    const [job, route, attempt] = [named("job")[0]!, named("route")[0]!, named("attempt")[0]!];
    expect(job.parentSpanId ?? "").toBe("");
    expect([job.spanId, route.spanId, attempt.spanId]).toEqual([spanIdOf(first.jobId, "job"), spanIdOf(first.jobId, "route"), spanIdOf(first.jobId, "attempt 1")]);
    expect([route.parentSpanId, attempt.parentSpanId]).toEqual([job.spanId, route.spanId]);
    const stages = ["queue", "prefill", "decode"].map((name) => named(name)[0]!);
    for (const stage of stages) expect(stage.parentSpanId).toBe(attempt.spanId);
    expect(stages.map(({ status }) => status)).toEqual([0, 0, 2]);
    expect([job, route, attempt].map(({ status, statusMessage }) => [status, statusMessage])).toEqual([[2, "attempts-exhausted"], [2, "attempts-exhausted"], [2, "runner-failed"]]);
    // One clock, one order: what is within lies within, to the millisecond that clocks are read to.
    const slackNs = 2_000_000n;
    for (const [inner, outer] of [[route, job], [attempt, route], ...stages.map((stage) => [stage, attempt] as const)] as const) {
      expect(inner.startNs + slackNs).toBeGreaterThanOrEqual(outer.startNs);
      expect(inner.endNs).toBeLessThanOrEqual(outer.endNs + slackNs);
    }
    expect(stages[0]!.endNs).toBe(stages[1]!.startNs);
    expect(stages[1]!.endNs).toBe(stages[2]!.startNs);
    expect(job.attributes).toMatchObject({ "infernet.job.id": first.jobId, "gen_ai.request.model": "mock", "infernet.job.status": "failed" });
  });

  test("are of the same jobs at everybody where only a share is traced", async () => {
    const collector = new Collector();
    const endpoint = await collector.start();
    toStop.push(() => collector.stop());
    const names: string[][] = [];
    for (const role of ["client", "router"] as const) {
      const tracing = await Tracing.open(role, "", { endpoint, share: 0.3 });
      for (let n = 0; n < 100; n++) tracing.begin(`job-${n}`, role === "client" ? "job" : "route", role === "client" ? null : "job", "client").end();
      await tracing.close();
      names.push(collector.spans.filter(({ service }) => service === `infernet-${role}`).map(({ attributes }) => String(attributes["infernet.job.id"])).sort());
    }
    expect(names[0]).toEqual(names[1]);
    expect(names[0]!.length).toBeGreaterThan(15);
    expect(names[0]!.length).toBeLessThan(45);
  });

  test("say in one sentence what is not installed", async () => {
    const load = (): Promise<never> => Promise.reject(Object.assign(new Error("no"), { code: "ERR_MODULE_NOT_FOUND" }));
    await expect(Tracing.open("node", "", { load })).rejects.toThrow("Traces are asked for, and their packages are not installed: npm install @opentelemetry/sdk-trace-base @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources, or unset OTEL_EXPORTER_OTLP_ENDPOINT.");
  });
});

test("no word of a prompt or an output is in any log, event, decision, journal, metric or trace", async () => {
  const PROMPT = "zebrafish-in-the-prompt";
  const OUTPUT = "quetzal-in-the-output";
  // A server that answers, fails in the midst of it, or refuses, and repeats the prompt whenever it can.
  let served = 0;
  const model: Server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (more: string) => { text += more; }).on("end", () => {
      if (request.url === "/v1/models") return void response.writeHead(200, { "content-type": "application/json" }).end('{"data":[{"id":"m","max_model_len":4096}]}');
      const turn = served++ % 4;
      if (turn === 1) return void response.writeHead(400, { "content-type": "application/json" }).end(JSON.stringify({ error: { message: `cannot do with: ${text}` } }));
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (let n = 0; n < 5; n++) response.write(`data: ${JSON.stringify({ choices: [{ text: ` ${OUTPUT} ${n}`, finish_reason: null }] })}\n\n`);
      if (turn === 2) return void response.write(`data: {"error": {"message": "${PROMPT} ${OUTPUT}"}}\n\n`, () => response.end());
      if (turn === 3) return void response.write(`data: {not json: ${PROMPT} ${OUTPUT}\n\n`, () => response.destroy());
      response.write(`data: ${JSON.stringify({ choices: [{ text: "", finish_reason: "stop" }] })}\n\n`);
      response.write(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5 } })}\n\n`);
      response.end("data: [DONE]\n\n");
    });
  });
  await new Promise<void>((resolve) => { model.listen(0, "127.0.0.1", resolve); });
  toStop.push(() => { model.closeAllConnections(); model.close(); });
  const collector = new Collector();
  const endpoint = await collector.start();
  toStop.push(() => collector.stop());
  const folder = mkdtempSync(join(tmpdir(), "infernet-private-"));
  toStop.push(() => rmSync(folder, { recursive: true, force: true }));
  const journal = join(folder, "ledger.journal");
  const ledger = new LedgerServer({ listen: { host: "127.0.0.1", port: 0 }, journal, durability: "process" });
  const ledgerUrl = await ledger.start();
  toStop.push(() => ledger.stop());

  const signers = { router: testSigner(), node: testSigner(), client: testSigner() };
  const seen = {
    router: await observe({ role: "router", peer: signers.router.publicKey, tracing: { endpoint } }),
    node: await observe({ role: "node", peer: signers.node.publicKey, tracing: { endpoint } }),
    client: await observe({ role: "client", peer: signers.client.publicKey, tracing: { endpoint } }),
  };
  const told: unknown[] = [];
  const market = new SmallMarket();
  const telemetry = new LiveTelemetry({ clock: market.clock, onEvent: (event) => void told.push(event), onDecision: (decision) => void told.push(decision) });
  const wallet = (signer: typeof signers.node): RemoteWallet => new RemoteWallet({ url: ledgerUrl, signer });
  await market.start({ attempts: 1, circuitBreaker: { failures: 1_000, coolDownUs: 1_000, growth: 1, maxCoolDownUs: 1_000 } }, { signer: signers.router, observer: seen.router.observer, telemetry, wallet: wallet(signers.router) });
  toStop.push(() => market.stop());
  const runner = new HttpRunner({ url: `http://127.0.0.1:${(model.address() as AddressInfo).port}/v1`, model: "m", models: ["mock"], tokensIntervalMs: 0 });
  await market.node({}, { runner, signer: signers.node, observer: seen.node.observer, telemetry, wallet: wallet(signers.node) });
  const client = await market.client({ signer: signers.client, observer: seen.client.observer, telemetry, wallet: wallet(signers.client), settlement: { kind: "prepay", payWithinUs: 5_000_000 } });

  const statuses: string[] = [];
  let output = "";
  const jobIds: string[] = [];
  for (let n = 0; n < 4; n++) {
    const job = client.submit({ ...ask, prompt: `${PROMPT} ${n}: what now?`, inputTokens: 100 });
    jobIds.push(job.jobId);
    for await (const { text } of job.tokens) output += text;
    statuses.push((await job.outcome).status);
  }
  await seen.node.observer.watcher.fault(new Error(`fault at ${PROMPT} ${OUTPUT}`));
  const metrics = await Promise.all(Object.values(seen).map(({ scrape }) => scrape()));
  await Promise.all(Object.values(seen).map(({ close }) => close()));

  // It was all there, ...
  expect(statuses).toEqual(["completed", "failed", "failed", "failed"]);
  expect(output).toContain(OUTPUT);
  const found: Record<string, string> = {
    "client's log": seen.client.lines.join(""), "router's log": seen.router.lines.join(""), "node's log": seen.node.lines.join(""),
    events: JSON.stringify(told), journal: readFileSync(journal, "utf8"), traces: collector.bodies.join(""), metrics: metrics.join(""), faults: JSON.stringify(market.faults.map(String)),
  };
  for (const [what, text] of Object.entries(found)) {
    if (what !== "faults") expect(text.length, what).toBeGreaterThan(500);
    // ... and is nowhere, nor its parts.
    for (const word of [PROMPT, OUTPUT, "zebrafish", "quetzal", "what now"]) expect(text.includes(word), `${word} in ${what}`).toBe(false);
  }
  for (const what of ["client's log", "router's log", "node's log", "events"]) for (const jobId of jobIds) expect(found[what], what).toContain(jobId);
  expect(market.faults).toEqual([]);
});
