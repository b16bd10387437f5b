import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { encodePublicKey } from "../../protocol/keys.ts";
import { clientKind, readClientConfig, resolveClient } from "./client.ts";
import { ConfigError } from "./config-error.ts";
import { nodeKind, readNodeConfig, resolveNode } from "./node.ts";
import type { ConfigKind } from "./read.ts";
import { configJsonSchema, readConfig } from "./read.ts";
import { readRouterConfig, resolveRouter, routerKind } from "./router.ts";

const examples = fileURLToPath(new URL("../examples", import.meta.url));
const KEY = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const ADDRESS = `{url: "ws://127.0.0.1:7700", key: ${KEY}}`;

const node = (text: string) => readConfig(nodeKind, `routers: [${ADDRESS}]\n${text}`, "etc/node.yaml", resolveNode);
const router = (text: string) => readConfig(routerKind, text, "router.yaml", resolveRouter);
const client = (text: string) => readConfig(clientKind, `router: ${ADDRESS}\n${text}`, "client.yaml", resolveClient);
const faults = (read: () => unknown): string => {
  try {
    read();
    return "no error";
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
};

describe.each<ConfigKind<typeof routerKind.schema | typeof nodeKind.schema | typeof clientKind.schema>>([routerKind, nodeKind, clientKind])("$name", (kind) => {
  test(`${kind.name}.schema.json is the schema derived from the code; \`npx vitest run live/config -u\` rewrites it`, async () => {
    await expect(`${JSON.stringify(configJsonSchema(kind), null, 2)}\n`).toMatchFileSnapshot(`./${kind.name}.schema.json`);
  });

  test("every setting is described", () => {
    const bare: string[] = [];
    const walk = (schema: unknown, at: string): void => {
      if (schema === null || typeof schema !== "object") return;
      const { properties, anyOf, items, title } = schema as { readonly properties?: Record<string, { readonly description?: string }>; readonly anyOf?: unknown[]; readonly items?: unknown; readonly title?: string };
      for (const [name, inner] of Object.entries(properties ?? {})) {
        if (inner.description === undefined) bare.push(`${at}.${name}`);
        walk(inner, `${at}.${name}`);
      }
      if (title === undefined) for (const option of anyOf ?? []) walk(option, at);
      if (items !== undefined) walk(items, `${at}[]`);
    };
    walk(configJsonSchema(kind), kind.name);
    expect(bare).toEqual([]);
  });
});

test("the examples are sound, and say where their schema is", () => {
  expect(readRouterConfig(`${examples}/router.yaml`)).toMatchObject({ listen: { host: "127.0.0.1", port: 7700 }, router: { fee: { shareBps: 100, flatMsat: 0 }, staleAfterUs: 6_000_000 }, keyFile: `${examples}/router.key` });
  expect(readNodeConfig(`${examples}/node.yaml`)).toMatchObject({ prices: { inputMsatPerMtok: 20_000, outputMsatPerMtok: 60_000, fixedMsat: 0 }, routers: [{ key: KEY }], runner: { kind: "mock", decodeTokensPerS: 50 }, speed: { decodeTokensPerS: 50 } });
  expect(readClientConfig(`${examples}/client.yaml`)).toMatchObject({ model: "mock", maxPriceMsat: 10_000, router: { key: KEY } });
  for (const name of readdirSync(examples)) {
    const text = readFileSync(`${examples}/${name}`, "utf8");
    expect(text).toMatch(new RegExp(`^# yaml-language-server: \\$schema=../config/${name.replace(".yaml", "")}\\.schema\\.json\n`));
    expect(parse(text)).toBeTypeOf("object");
  }
});

describe("defaults", () => {
  test("a router needs nothing but its key", () => {
    expect(router("listen: {}")).toEqual({
      keyFile: "router.key", listen: { host: "127.0.0.1", port: 7_700 }, wallet: null, metrics: null, log: "info", shutdownUs: 30_000_000,
      router: {
        policy: { kind: "weighted-score", weights: { price: 1, latency: 1, load: 1, reliability: 1 } }, fee: { shareBps: 0, flatMsat: 0 },
        staleAfterUs: 6_000_000, sweepUs: 2_000_000, attempts: 3, acceptTimeoutUs: 2_000_000, jobTimeoutUs: 600_000_000, queueLimit: 1_000, queueWaitUs: 30_000_000,
        circuitBreaker: { failures: 3, coolDownUs: 30_000_000, growth: 2, maxCoolDownUs: 600_000_000 }, quoteValidUs: 2_000_000, marketStateUs: 0,
        forgetAfterUs: 3_600_000_000, nodesMax: 16_384,
      },
      limits: { connections: 4_096, envelopesPerS: 2_000, openingMs: 5_000, silenceMs: 15_000, awayMs: 15_000 },
    });
  });

  test("a node needs a router and a runner; files lie beside the settings", () => {
    expect(node("runner: {llama: {model: models/tiny.gguf}}")).toMatchObject({
      keyFile: "etc/node.key", region: "eu", prices: { inputMsatPerMtok: 0, outputMsatPerMtok: 0, fixedMsat: 0 }, speed: null, queueLimit: 4, streamIntervalMs: 50,
      runner: { kind: "llama", model: "etc/models/tiny.gguf", name: "tiny", slots: 4, threads: 1, gpu: "auto", gpuLayers: undefined, contextTokens: undefined, batchTokens: 512, temperature: 0 },
    });
    expect(node("runner: {mock: {}}").machine).toMatch(/threads$/);
  });

  test("a client needs a router; the words of settlement stand for their defaults", () => {
    expect(client("")).toMatchObject({ maxPriceMsat: 100_000, maxOutputTokens: 256, patienceUs: 120_000_000, settlement: undefined, wallet: null });
    expect(client("settlement: streaming").settlement).toEqual({ kind: "streaming", payWithinUs: 10_000_000, everyTokens: 256, stallUs: 60_000_000 });
    expect(client("settlement: {escrow: {timeout: 1min}}").settlement).toEqual({ kind: "escrow", payWithinUs: 10_000_000, timeoutUs: 60_000_000, parts: 1 });
  });

  test("keys are read as people write them", () => {
    expect(readConfig(clientKind, `router: {url: "wss://router.example/x", key: ${encodePublicKey(KEY)}}`, "c.yaml", resolveClient).router).toEqual({ url: "wss://router.example/x", key: KEY });
  });
});

describe("one thing wrong", () => {
  test.each<[string, () => unknown, string]>([
    ["a misspelt key", () => router("polcy: cheapest"), 'router.yaml:1:1: polcy: found the unknown key "polcy"; allowed: the keys key, listen, policy'],
    ["and what was meant", () => router("polcy: cheapest"), 'did you mean "policy"?\n  1 | polcy: cheapest\n    | ^'],
    ["a misspelt policy", () => router("policy: cheepest"), 'did you mean "cheapest"?'],
    ["no unit", () => router("heartbeat: 10"), "router.yaml:1:12: heartbeat: found 10, a number without a unit; allowed: a duration such as 250ms, 10s or 2h, above 0"],
    ["a fee without a wallet", () => router("fee: {share: 1 %}"), "wallet: found none; allowed: a wallet, such as"],
    ["half a basis point", () => router("fee: {share: 0.5 bps}\nwallet: {ledger: 'ws://x'}"), "router.yaml:1:14: fee.share: found 0.5 bps; allowed: whole basis points"],
    ["patience below the heartbeat's interval", () => router("heartbeat: 10s\nstaleAfter: 5s"), "router.yaml:2:13: staleAfter: found 5s; allowed: at least the heartbeat's interval, 10s"],
    ["an empty file", () => readConfig(nodeKind, "", "n.yaml", resolveNode), "n.yaml:1:1: found an empty file; allowed: a node's settings file: a map with at least routers and runner"],
    ["no runner", () => node(""), "etc/node.yaml:1:1: runner: found nothing; allowed: a map with one of the keys llama, http, mock"],
    ["two runners", () => node("runner: {mock: {}, llama: {model: x.gguf}}"), "runner: found the keys mock, llama; allowed: exactly one of the keys llama, http, mock"],
    ["a price without a wallet", () => node("runner: {mock: {}}\nprices: {input: 1 sat/Mtok}"), "wallet: found none; allowed: a wallet, such as {ledger: ws://127.0.0.1:7800}: who asks for money has to be paid"],
    ["dollars", () => node("runner: {mock: {}}\nprices: {input: 1 USD/Mtok}\nwallet: {ledger: 'ws://x'}"), 'prices.input: found "1 USD/Mtok"; allowed: an amount in msat, sat or btc: live payments know no exchange rate'],
    ["an npub with a typing error", () => client("").router && readConfig(clientKind, `router: {url: "ws://x", key: ${encodePublicKey(KEY).slice(0, -1)}q}`, "c.yaml", resolveClient), "whose checksum is wrong; allowed: a public key: npub1... or 64 hexadecimal digits"],
    ["another kind of address", () => readConfig(clientKind, `router: {url: "http://x", key: ${KEY}}`, "c.yaml", resolveClient), 'router.url: found "http://x"; allowed: an address such as ws://127.0.0.1:7700 or wss://router.example'],
    ["a model file that gives no name", () => node('runner: {llama: {model: "my model.gguf"}}'), "runner.llama.model: found \"my model\", which is no model's name; allowed: a `name`"],
    ["the same router twice", () => readConfig(nodeKind, `routers: [${ADDRESS}, ${ADDRESS}]\nrunner: {mock: {}}`, "n.yaml", resolveNode), "found a router that is in the list already"],
  ])("%s", (_, read, message) => {
    expect(faults(read)).toContain(message);
  });

  test("all that is wrong is told at once", () => {
    expect(faults(() => router("heartbeat: 10\nattempts: 0")).split("\n").filter((line) => line.startsWith("router.yaml"))).toHaveLength(2);
  });
});
