import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { contents, infernet, start, testFolder } from "./testing/process.ts";
import { freePort, needsRedis, redisIsHere, startRedis } from "../lab/testing/redis.ts";
import { QueuePlayer } from "../lab/queue/player.ts";

const folder = testFolder("worker");
let url = "";
let redis: Awaited<ReturnType<typeof startRedis>> | null = null;
const workers: ReturnType<typeof start>[] = [];
let started = 0;

beforeAll(async () => {
  if (!redisIsHere) return;
  mkdirSync(join(folder, "redis"));
  redis = await startRedis(join(folder, "redis"));
  ({ url } = redis);
});
afterEach(async () => {
  const ended = workers.splice(0);
  for (const { child } of ended) child.kill("SIGKILL");
  await Promise.all(ended.map(({ outcome }) => outcome));
});
afterAll(async () => {
  await redis?.stop();
});

/** A worker that waits for runs. It works in a folder of its own, as on another machine. */
async function worker(at = url): Promise<ReturnType<typeof start>> {
  const cwd = join(folder, `worker-${started++}`);
  mkdirSync(cwd);
  const one = start(cwd, "worker", "--queue", at, "--workers", "1");
  workers.push(one);
  await until(one, /Waiting for runs/);
  return one;
}

async function until({ child, outcome }: ReturnType<typeof start>, pattern: RegExp): Promise<void> {
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (more: string) => {
      text += more;
      if (pattern.test(text)) resolve();
    });
    void outcome.then(() => reject(new Error(`ended before it said ${pattern}: ${text}`)));
  });
}

async function met(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Some hundreds of milliseconds a run. */
const source = (seconds: number): string => `name: crowd
question: How long do jobs wait for some servers?
horizon: ${seconds}s
pricing: {policy: {file: ./own.ts, interval: 5s}}
operators:
  - {name: gpu, count: 40, model: m, engine: {service-time: {service: {exponential: {mean: 1s}}}}, price: {fixed: 1 sat}}
clients:
  - {name: c, model: m, arrivals: {poisson: {rate: 30/s}}, inputTokens: 10, outputTokens: 10, maxPrice: 9 sat}
`;
const policy = "export default { openMarket: () => ({ utilisation }) => ({ factor: 1 + Math.round(4 * Math.min(1, utilisation)) / 4 }) };\n";

function market(name: string, seconds: number): string {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "market.yaml"), source(seconds));
  writeFileSync(join(folder, name, "own.ts"), policy);
  return join(folder, name);
}

const command = ["run", "market.yaml", "--replications", "16"];
const bytesOf = (path: string): Record<string, string> => Object.fromEntries(contents(path).filter((file) => !file.endsWith("/")).map((file) => [file, readFileSync(join(path, file), "base64")]));
const rowsIn = (path: string): number => (existsSync(path) && statSync(path).size > 0 ? readFileSync(path, "utf8").split('{"run":').length - 1 : 0);

describe.skipIf(!redisIsHere)(`a queue on Redis${needsRedis}`, () => {
  test("workers die and join while runs are played: none is lost or counted twice, and the bytes are those of this machine alone", async () => {
    const cwd = market("deaths", 300);
    expect(infernet(cwd, ...command, "--out", "here", "--quiet").status).toBe(0);
    const [first, second] = await Promise.all([worker(), worker()]);
    const producer = start(cwd, ...command, "--out", "there", "--queue", url);
    const journal = join(cwd, "there", "runs.journal");
    await met(() => rowsIn(journal) >= 2);
    first.child.kill("SIGKILL");
    await met(() => rowsIn(journal) >= 5);
    const late = await worker();
    second.child.kill("SIGKILL");
    expect(await producer.outcome).toMatchObject({ status: 0 });
    expect(bytesOf(join(cwd, "there"))).toEqual(bytesOf(join(cwd, "here")));
    late.child.kill("SIGTERM");
    const { status, stderr } = await late.outcome;
    expect(status).toBe(0);
    expect(stderr).toMatch(/Ending the runs under way \.\.\.\nPlayed \d+ runs?\.\n$/);
    expect(readdirSync(join(folder, "worker-2"))).toEqual([]);
  });

  test("a producer that was killed goes on with --resume, and what it had asked for is dropped", async () => {
    const cwd = join(folder, "deaths");
    await worker();
    const args = [...command, "--out", "again", "--queue", url];
    const producer = start(cwd, ...args);
    await met(() => rowsIn(join(cwd, "again", "runs.journal")) >= 3);
    producer.child.kill("SIGKILL");
    await producer.outcome;
    const again = await start(cwd, ...args, "--resume").outcome;
    expect(again.stderr).toMatch(/\d+ runs of again are played already/);
    expect(again.status).toBe(0);
    expect(bytesOf(join(cwd, "again"))).toEqual(bytesOf(join(cwd, "here")));
  });

  test("a Redis that goes and comes back without its data costs time and nothing else", async () => {
    const cwd = join(folder, "deaths");
    const port = await freePort();
    const before = await startRedis(join(folder, "redis"), port);
    await worker(before.url);
    const producer = start(cwd, ...command, "--out", "lost", "--queue", before.url);
    const journal = join(cwd, "lost", "runs.journal");
    await met(() => rowsIn(journal) >= 2);
    await before.stop();
    expect(existsSync(journal)).toBe(true);
    const after = await startRedis(join(folder, "redis"), port);
    const { status } = await producer.outcome;
    await after.stop();
    expect(status).toBe(0);
    expect(bytesOf(join(cwd, "lost"))).toEqual(bytesOf(join(cwd, "here")));
  });

  test("whoever finds nobody at work is told so, and the scenario's files go to those who come", async () => {
    const cwd = market("files", 60);
    const producer = start(cwd, "run", "market.yaml", "--replications", "3", "--out", "there", "--queue", url.replace(/0$/, "2"));
    await until(producer, /Nobody works for redis:\/\/127\.0\.0\.1:\d+\/2 yet\. On any machine: infernet worker --queue/);
    renameSync(join(cwd, "own.ts"), join(cwd, "gone.ts"));
    await worker(url.replace(/0$/, "2"));
    expect((await producer.outcome).status).toBe(0);
    renameSync(join(cwd, "gone.ts"), join(cwd, "own.ts"));
    expect(infernet(cwd, "run", "market.yaml", "--replications", "3", "--out", "here", "--quiet").status).toBe(0);
    expect(bytesOf(join(cwd, "there"))).toEqual(bytesOf(join(cwd, "here")));
  });

  test("workers with another lab are named, and get nothing", async () => {
    const { Redis } = await import("ioredis");
    const elsewhere = url.replace(/0$/, "1");
    const client = new Redis(elsewhere);
    await client.set("infernet-lab:worker:other", JSON.stringify({ threads: 4, host: "elsewhere", version: "0.0.9", code: "0123456789ab" }), "EX", 60);
    const heard: string[] = [];
    const player = await QueuePlayer.connect(elsewhere, (text) => void heard.push(text));
    await met(() => heard.length > 0);
    expect(heard[0]).toMatch(/^The workers at redis:.* have another infernet-lab \(elsewhere: 0\.0\.9, code 0123456789ab\) than this one \(\d+\.\d+\.\d+, code [0-9a-f]{12}\), and get none of its runs/);
    await player.close();
    await client.del("infernet-lab:worker:other");
    client.disconnect();
  });
});

describe("a queue that is none", () => {
  test("is told in one message", async () => {
    const port = await freePort();
    const cwd = market("nobody", 60);
    for (const asked of [["run", "market.yaml", "--replications", "2"], ["worker"]]) {
      const { status, stderr } = infernet(cwd, ...asked, "--queue", `redis://user:secret@127.0.0.1:${port}/0`);
      expect(status).toBe(2);
      expect(stderr).toBe(`error: there is no Redis at redis://user:***@127.0.0.1:${port}/0 (connect ECONNREFUSED 127.0.0.1:${port}). Start one (redis-server), or give the address of one with --queue.\n`);
    }
    expect(infernet(cwd, "worker", "--queue", "localhost").stderr).toMatch(/^error: --queue: found localhost; allowed: a Redis such as redis:\/\/localhost\/0/);
    expect(infernet(cwd, "run", "market.yaml", "--queue", "redis://127.0.0.1").stderr).toMatch(/^error: --queue is for several runs/);
  });
});
