import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { scenarioJsonSchema } from "./json-schema.ts";
import type { JsonSchema } from "../../input/guide.ts";
import { scenarioSchema } from "./schema.ts";

const ajv = new Ajv({ strict: true, strictTypes: false, strictTuples: false });
const accepts = ajv.compile(scenarioJsonSchema() as object);

test("scenarios/scenario.schema.json is what `infernet schema` prints", () => {
  const committed = readFileSync(new URL("../../scenarios/scenario.schema.json", import.meta.url), "utf8");
  expect(committed === `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`, "run: ./infernet schema > scenarios/scenario.schema.json").toBe(true);
});

test("every key has a description, for editors", () => {
  const bare: string[] = [];
  const visit = (schema: JsonSchema, path: string): void => {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      const described = property.description !== undefined;
      if (!described) bare.push(`${path}.${key}`);
      visit(property, `${path}.${key}`);
    }
    for (const part of [...(schema.anyOf ?? []), ...(schema.allOf ?? []), ...(Array.isArray(schema.items) ? schema.items as JsonSchema[] : schema.items === undefined ? [] : [schema.items as JsonSchema])]) visit(part, path);
    for (const [name, definition] of Object.entries(schema.definitions ?? {})) visit(definition, name);
  };
  visit(scenarioJsonSchema(), "");
  expect(bare).toEqual([]);
});

/** Something of everything. */
const rich = parse(`
name: rich
question: What does a scenario with everything in it look like?
description: All of it.
seed: 3
horizon: 10min
warmup: 1min
drain: false
exchangeRate: [100000 USD/btc, 90000 EUR/btc]
network: {latency: 40ms, sameRegion: 0, between: {eu/us: 45ms}, jitter: 0.2, signing: 60us, verifying: 100us, messages: plain}
router:
  count: 2
  region: eu
  policy: {softmax: {temperature: 0.1, price: 2}}
  heartbeat: 5s
  staleAfter: 20s
  attempts: 2
  acceptTimeout: 1s
  jobTimeout: forever
  queue: {limit: unlimited, maxWait: 10s}
  circuitBreaker: {failures: 3, coolDown: 30s, growth: 2, maxCoolDown: 10min}
  fee: {share: 1 %, flat: 5 msat}
payment: {latency: 300ms, baseFee: 1 sat, feePpm: 100, failure: 0.1 %, clientBalance: 0.01 btc, attempts: 2, retryPause: 500ms, invoiceExpiry: forever}
operators:
  - name: a
    count: 3
    machine: {name: mine, family: cpu, memory: 32 GB, bandwidth: 50 GB/s, compute: 1 TFLOP/s, power: {idle: 10W, load: 0.1 kW}}
    model: [m, n]
    engine: {vllm: {sequences: 8, stepTokens: 512, context: 8Ki, memoryShare: 90 %}}
    price: {input: 20 sat/Mtok, output: 0.1 USD/Mtok, fixed: 1 msat, spread: 10 %}
    region: {eu: 60 %, us: 2}
    queueLimit: unlimited
    stake: 10 sat
    attested: true
    churn:
      uptime: {weibull: {mean: 8h, cv: 1.2}}
      downtime: {lognormal: {median: 20min, sigma: 1}}
      abrupt: 0.5
      failure: 10 bps
      slowdown: {every: {exponential: {mean: 1h}}, lasts: 5min, factor: 0.5}
    electricity: 0.30 EUR/kWh
  - name: b
    model: m
    engine: {service-time: {service: {hyperexponential: {mean: 1s, cv: 2}}, slots: 2, discipline: priority, rates: [1, 1.5]}}
    price: free
  - {name: c, model: m, engine: vllm, machine: RTX 4090, price: free}
clients:
  - name: x
    count: 2
    region: us
    model: m
    trace: {file: t.csv, format: azure, timeScale: 0.5, limit: 10}
    arrivals: {mmpp: {states: [{rate: 1/s, lasts: 1min}, {rate: 0, lasts: 10s}]}}
    inputTokens: {quantiles: [[0, 1], [0.5, 100.5], [1, 2k]]}
    outputTokens: {clip: {of: {mixture: [{weight: 1, of: 10}, {weight: 2, of: {pareto: {min: 10, shape: 1.5, max: 1k}}}]}, min: 2, max: 500}}
    maxOutputTokens: 1k
    maxPrice: {normal: {mean: 500 msat, sd: 50 msat, min: 0, max: 1 sat}}
    latencyGoal: {ttft: 1s, tpot: 100ms, endToEnd: 1min}
    patience: {values: [1s, 2s]}
    priority: 3
    allowedRegions: [eu, us]
    minStake: 1 sat
    privacy: attested
  - name: y
    model: m
    arrivals: {varying: {points: [[0s, 1/s], [1min, 2/s]], period: 2min}}
    inputTokens: trace
    outputTokens: {uniform: {min: 0, max: 10}}
    patience: forever
  - name: z
    model: m
    arrivals: {closed: {users: 3, thinkTime: {erlang: {mean: 3s, stages: 2}}}}
    inputTokens: {gamma: {mean: 10, cv: 0.5}}
    outputTokens: 3
    maxPrice: unlimited
`) as Record<string, unknown>;

describe("zod and JSON Schema agree", () => {
  test("on a scenario with everything in it", () => {
    expect(scenarioSchema.safeParse(rich).error?.issues).toBeUndefined();
    expect(accepts(rich), JSON.stringify(accepts.errors)).toBe(true);
  });

  const paths: (string | number)[][] = [];
  const walk = (value: unknown, path: (string | number)[]): void => {
    if (path.length > 0) paths.push(path);
    if (Array.isArray(value)) value.forEach((item, i) => walk(item, [...path, i]));
    else if (value !== null && typeof value === "object") for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
  };
  walk(rich, []);

  const value = fc.constantFrom<unknown>(
    null, true, 0, 1, -1, 2, 10, 0.5, 1.5, "", " ", "x", "free", "forever", "unlimited", "trace", "cheapest", "vllm", "llama.cpp", "eu", "10s", "0 s", "5/s", "0/s",
    "5 sat", "5 sat/Mtok", "0 msat", "1 W", "5 %", "0 %", "8Ki", "0", "10", "1 GB", "1 GB/s", "1 USD/btc", "1 USD/kWh", [], {}, [1], ["eu"], [[0, 1], [1, 2]], { x: 1 },
    { exponential: { mean: 1 } }, { exponential: { mean: "1s" } }, { exponential: {} }, { poisson: { rate: "5/s" } }, { poisson: {}, gamma: {} }, { uniform: { min: 0, max: "1 sat" } },
    { eu: 1 }, { EU: 1 }, { eu: "10 %" }, { "eu/us": "1s" }, { vllm: {} }, { sequential: {}, vllm: {} }, { "power-of-two": { choices: 2 } },
  );
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant("set" as const), path: fc.constantFrom(...paths), value }),
    fc.record({ kind: fc.constant("delete" as const), path: fc.constantFrom(...paths), value }),
    fc.record({ kind: fc.constant("add" as const), path: fc.constantFrom(...paths), value }),
  );

  const at = (root: unknown, path: readonly (string | number)[]): unknown => path.reduce<unknown>((holder, part) => (holder === null || typeof holder !== "object" ? undefined : (holder as Record<string | number, unknown>)[part]), root);

  test("on scenarios one or two changes away from it", () => {
    let refused = 0;
    let accepted = 0;
    fc.assert(fc.property(fc.array(mutation, { minLength: 1, maxLength: 2 }), (mutations) => {
      const changed = structuredClone(rich);
      for (const { kind, path, value } of mutations) {
        const holder = at(changed, path.slice(0, -1));
        const last = path.at(-1)!;
        if (holder === undefined || holder === null || typeof holder !== "object") continue;
        if (kind === "set") (holder as Record<string | number, unknown>)[last] = structuredClone(value);
        else if (kind === "delete" && Array.isArray(holder)) holder.splice(Number(last), 1);
        else if (kind === "delete") delete (holder as Record<string | number, unknown>)[last];
        else if (!Array.isArray(holder)) (holder as Record<string, unknown>)["another"] = structuredClone(value);
      }
      const byZod = scenarioSchema.safeParse(changed);
      const byAjv = accepts(changed);
      expect(byZod.success, JSON.stringify({ mutations, zod: byZod.error?.issues.slice(0, 2), ajv: accepts.errors?.slice(0, 3) })).toBe(byAjv);
      if (byAjv) accepted++;
      else refused++;
    }), { seed: 1, numRuns: 1_000 });
    // Otherwise the agreement would say little.
    expect(Math.min(accepted, refused)).toBeGreaterThan(50);
  });
});
