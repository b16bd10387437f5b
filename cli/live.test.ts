import { once } from "node:events";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Collector } from "../live/observe/testing/collector.ts";
import { traceIdOf } from "../live/observe/tracing.ts";
import { newSecretKey, writeKeyFile } from "../live/keys.ts";
import { sha256Hex } from "../protocol/canonical.ts";
import { until } from "../live/testing/peers.ts";
import { freePort } from "../lab/testing/redis.ts";
import { type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("live");
const children: { kill(signal: "SIGKILL"): boolean }[] = [];
afterAll(() => { for (const child of children) child.kill("SIGKILL"); });

const run = (...args: string[]): Promise<Outcome> => start(folder, ...args).outcome;
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

/** A process that goes on, and the first line that it prints. */
const up = async (...args: string[]) => {
  const { child, outcome } = start(folder, ...args);
  children.push(child);
  let said = "";
  child.stderr.on("data", (more: string) => { said += more; });
  const [text] = await Promise.race([once(child.stdout, "data"), outcome.then(({ stderr }) => { throw new Error(stderr); })]) as [string];
  /** What its metrics are now. */
  const metrics = async (): Promise<string> => (await fetch(/^Metrics: (\S+)$/m.exec(said)![1]!)).text();
  return { child, outcome, line: text.trim(), metrics, said: () => said };
};

const collector = new Collector();
afterAll(() => collector.stop());

let ledger: Awaited<ReturnType<typeof up>>;
let router: Awaited<ReturnType<typeof up>>;
let node: Awaited<ReturnType<typeof up>>;
let client: string;

/** One process at a time may use a key: commands that run at once have one each. */
const clients = ["client", "a", "b", "c"];

/** Words that no log and no event may hold. */
const PROMPT = "Xylophone geheimnis: why is the sky blue?";

beforeAll(async () => {
  process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = await collector.start();
  // Seen while it happens: what is not sent at once is sent at the process's end.
  process.env["OTEL_BSP_SCHEDULE_DELAY"] = "100";
  for (const name of ["router", "node", ...clients]) writeKeyFile(join(folder, `${name}.key`), newSecretKey());
  ledger = await up("ledger", "--listen", "127.0.0.1:0", "--journal", "ledger.journal", "--metrics", "127.0.0.1:0", "--log", "debug");
  const wallet = `wallet: {ledger: "${ledger.line}"}`;
  write("router.yaml", `listen: {port: 0}\nfee: {share: 10 %}\n${wallet}\nmetrics: {port: 0}\nlog: debug\n`);
  router = await up("router", "--config", "router.yaml", "--events", "router.jsonl", "--decisions", "decisions.jsonl");
  const [url, key] = router.line.split(" ");
  client = `router: {url: "${url}", key: ${key}}\nmodel: mock\n${wallet}\n`;
  for (const name of clients) write(`${name}.yaml`, `key: ${name}.key\n${client}`);
  write("node.yaml", `routers: [{url: "${url}", key: ${key}}]\nrunner: {mock: {decode: 60/s, outputTokens: 40}}\nprices: {input: 1 sat/ktok, output: 2 sat/ktok}\n${wallet}\nmetrics: {port: 0}\nlog: debug\n`);
  node = await up("node", "--config", "node.yaml", "--events", "node.jsonl");
});

describe("a live market from the command line", () => {
  test("infer streams the answer to standard output, and says on standard error what it cost; quote says the most beforehand", async () => {
    const [quote, plain, json] = await Promise.all([
      run("quote", "--config", "a.yaml", "--max-tokens", "100", PROMPT),
      run("infer", "--max-tokens", "100", "--events", "client.jsonl", PROMPT),
      run("infer", "--config", "b.yaml", "--json", "--input-tokens", "1", "--max-tokens", "30", PROMPT),
    ]);
    // 57 tokens declared (41 bytes and 16) at a msat each, 100 at two, and a tenth of it.
    expect(quote).toMatchObject({ status: 0, stdout: expect.stringMatching(new RegExp(`^at most 282 msat for up to 57 tokens in and 100 out, the router's fee included\nnode    ${node.line}\nprices  1,000 sat/Mtok in, 2,000 sat/Mtok out; fee 10 %\n`)) as string });
    expect(plain).toMatchObject({ status: 0, stderr: expect.stringMatching(new RegExp(`^150 msat \\(13 msat of it the router's fee\\); 57 tokens in, 40 out; first token after [\\d.]+ m?s; [\\d.]+ tokens/s; node ${node.line}\n$`)) as string });
    expect(plain.stdout.trim().split(/\s+/).length).toBeGreaterThan(20);
    const record = JSON.parse(json.stdout) as Record<string, unknown>;
    expect(record).toMatchObject({ status: "completed", node: node.line, inputTokens: 1, outputTokens: 30, finishReason: "length", amountMsat: 61, feeMsat: 6, attempts: 1 });
    expect(record["output"]).toBeTypeOf("string");
    // The decisions of a simulation, and its events; of what was asked and answered there is no word in them.
    expect(JSON.parse(read("decisions.jsonl").split("\n")[0]!)).toMatchObject({ policy: expect.stringMatching(/^weighted-score/) as string, candidates: [{ parts: [{ name: "price" }, {}, {}, {}] }], excluded: [] });
    expect(read("client.jsonl").trim().split("\n").map((line) => (JSON.parse(line) as { event: string }).event)).toEqual(["submitted", "first-token", "finished", "ended"]);
    const told = ["router.jsonl", "node.jsonl", "client.jsonl", "decisions.jsonl"].map(read).join("\n");
    for (const words of ["Xylophone", "geheimnis", plain.stdout.slice(0, 15), sha256Hex(PROMPT)]) expect(told).not.toContain(words);
  });

  test("logs, metrics, traces and the ledger's journal show the job, and no word of what was asked and answered", async () => {
    const asked = await run("infer", "--json", "--max-tokens", "30", PROMPT);
    const { job, output } = JSON.parse(asked.stdout) as { job: string; output: string };
    await until(() => ["job", "route", "attempt", "queue", "prefill", "decode"].every((name) => collector.spans.some((span) => span.traceId === traceIdOf(job) && span.name === name)), "the whole trace");
    const seen = (await Promise.all([ledger, router, node].map(({ metrics }) => metrics()))).join("\n");
    expect(seen).toMatch(/^infernet_ledger_payments_total\{outcome="settled",role="ledger"\} \d+$/m);
    expect(seen).toMatch(/^infernet_attempts_total\{role="router"\} \d+$/m);
    expect(seen).toMatch(/^infernet_jobs_total\{status="completed",role="node"\} \d+$/m);
    const logs = [ledger, router, node].map(({ said }) => said());
    for (const log of logs.slice(1)) {
      expect(log).toContain(`"jobId":"${job}"`);
      for (const line of log.split("\n").filter((one) => one.startsWith("{"))) expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) as string, message: expect.any(String) as string });
    }
    const told = [...logs, seen, ...collector.bodies, read("ledger.journal"), asked.stderr].join("\n");
    for (const words of ["Xylophone", "geheimnis", output.slice(0, 15), sha256Hex(PROMPT)]) expect(told).not.toContain(words);
  });

  test("schemas are printed as they are published", async () => {
    expect((await run("schema", "node")).stdout).toBe(readFileSync(new URL("../live/config/node.schema.json", import.meta.url), "utf8"));
  });

  test("a key is one process's at a time", async () => {
    const { status, stderr } = await run("node", "--config", "node.yaml");
    expect([status, stderr]).toEqual([2, `error: The key file node.key is in use by process ${node.child.pid!}. Allowed: one process per key. Make another: infernet keygen --out FILE\n`]);
  });

  test("each thing that is wrong is one sentence, and exit code 2", async () => {
    write("nobody.yaml", `key: c.key\n${client.replace(/:\d+"/, ':9"')}`);
    write("other.yaml", client.replace(/npub1\w+/, "npub10xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqpkge6d"));
    write("open.yaml", `key: open.key\n${client}`);
    write("open.key", read("client.key"));
    chmodSync(join(folder, "open.key"), 0o644);
    write("missing.yaml", `key: nowhere.key\n${client}`);
    write("wrong.yaml", client.replace("model:", "modle:"));
    const say = async (expected: RegExp, ...args: string[]): Promise<void> => {
      const { status, stdout, stderr } = await run(...args);
      expect([args.join(" "), status, stdout, stderr]).toEqual([args.join(" "), 2, "", expect.stringMatching(expected)]);
    };
    await Promise.all([
      say(/^error: No router at ws:\/\/127\.0\.0\.1:9: connect ECONNREFUSED[^\n]*\n$/, "infer", "--config", "nobody.yaml", "hi"),
      say(/^error: No router at ws:\/\/127\.0\.0\.1:\d+: [^\n]*\n$/, "infer", "--config", "other.yaml", "hi"),
      say(/^error: The key file open\.key is open to others \(mode 0644\)[^\n]*chmod 600 open\.key\n$/, "infer", "--config", "open.yaml", "hi"),
      say(/^error: There is no key file nowhere\.key\. Make one: infernet keygen --out nowhere\.key\n$/, "quote", "--config", "missing.yaml", "hi"),
      say(/^wrong\.yaml:2:1: modle: found the unknown key "modle"[^\n]*did you mean "model"\?\n/, "infer", "--config", "wrong.yaml", "hi"),
      say(/^error: no node serves mock with 18 \+ 256 tokens for 1 msat at most\./, "infer", "--config", "a.yaml", "--max-price", "1 msat", "hi"),
      say(/^error: no node serves gpt with/, "quote", "--config", "b.yaml", "--model", "gpt", "hi"),
      say(/^error: the prompt is empty\n$/, "infer", " "),
    ]);
  });

  test("a node whose router is absent says so at once, and goes on trying until it is there", async () => {
    writeKeyFile(join(folder, "early.key"), newSecretKey());
    writeKeyFile(join(folder, "late.key"), newSecretKey());
    const port = await freePort();
    const key = (await run("keygen", "--show", "late.key")).stdout.trim();
    write("early.yaml", `key: early.key\nrouters: [{url: "ws://127.0.0.1:${port}", key: ${key}}]\nrunner: {mock: {}}\nlog: silent\n`);
    write("late.yaml", `key: late.key\nlisten: {port: ${port}}\nlog: silent\n`);
    const early = await up("node", "--config", "early.yaml");
    await until(() => early.said().includes(`router ws://127.0.0.1:${port}: no connection (connect ECONNREFUSED 127.0.0.1:${port}); trying again\n`), "it says so");
    await up("router", "--config", "late.yaml");
    await until(() => early.said().includes(`router ws://127.0.0.1:${port}: connected\n`), "it is there");
    expect(early.said().match(/no connection/g)).toHaveLength(1);
  });

  test("a node and a router that are asked to stop let the job end, and exit with 0", async () => {
    const slow = start(folder, "infer", "--max-tokens", "30", PROMPT);
    children.push(slow.child);
    await once(slow.child.stdout, "data");
    node.child.kill("SIGTERM");
    router.child.kill("SIGTERM");
    const [asked, served, routed] = await Promise.all([slow.outcome, node.outcome, router.outcome]);
    expect([asked.status, served.status, routed.status]).toEqual([0, 0, 0]);
    expect(asked.stderr).toContain("57 tokens in, 30 out");
    for (const { stderr } of [asked, served, routed]) expect(stderr).not.toMatch(/Xylophone|geheimnis|fault/);
  });
});
