import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { curve, useCurve, webAssemblyCurve } from "../protocol/curve.ts";
import { useFastestCurve } from "../live/native-curve.ts";
import { type JobTimes, Load } from "./live/load.ts";
import { timeParts } from "./live/parts.ts";
import type { RouterSays } from "./live/router-process.ts";
import type { Bench, BenchRow } from "./row.ts";

const JOBS = 6_000;

/**
 * A live router in a process of its own, on real sockets; clients and nodes in this one. Each job takes four envelopes that the
 * router opens and verifies (job, accept, result, the proof of its payment), one that it signs (award), and six that it passes on.
 */
export const bench: Bench = async () => {
  const native = await measure({});
  const rows = [...native.rows];
  if (!native.curve.includes("WebAssembly")) rows.push(...(await measure({ INFERNET_SECP256K1: "none" })).rows);
  return rows;
};

const measure = async (env: Readonly<Record<string, string>>): Promise<{ readonly curve: string; readonly rows: readonly BenchRow[] }> => {
  const child = fork(fileURLToPath(new URL("live/router-process.ts", import.meta.url)), [], {
    env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit", "ipc"], execArgv: (process.env["BENCH_ROUTER_ARGS"] ?? "").split(" ").filter((arg) => arg !== ""),
  });
  const ask = async (): Promise<RouterSays> => {
    const answer = once(child, "message");
    child.send("?");
    return (await answer)[0] as RouterSays;
  };
  const [{ url, peer, curve: used }] = (await once(child, "message")) as [RouterSays];
  const load = new Load(url, peer, 8, 20);
  await load.open();
  load.prepare(3_000);
  await load.closedLoop(3_000, 32);

  load.prepare(JOBS);
  const before = await ask();
  const mine = process.cpuUsage();
  const { seconds } = await load.closedLoop(JOBS, 32);
  const after = await ask();
  const { user, system } = process.cpuUsage(mine);
  const loadUs = (user + system) / JOBS;
  const perJobUs = (after.cpuUs - before.cpuUs) / JOBS;

  const rate = 300;
  load.prepare(2_000);
  const times = await load.openLoop(2_000, rate);
  const end = await ask();
  load.close();
  child.send("stop");
  await once(child, "exit");
  if (load.failed > 0 || end.refused > 0 || end.undelivered > 0 || end.open > 0) {
    throw new Error(`${load.failed} jobs failed, ${end.refused} envelopes were refused, ${end.undelivered} not delivered, ${end.open} jobs are open`);
  }

  const library = used.includes("WebAssembly") ? "WebAssembly" : "the system's libsecp256k1";
  const bars = !used.includes("WebAssembly");
  const perS = 1e6 / perJobUs;
  useFastestCurve();
  const fastest = curve();
  if (!bars) useCurve(webAssemblyCurve);
  const parts = timeParts(1_000);
  useCurve(fastest);
  return {
    curve: used,
    rows: [
      { name: `signed jobs, ${library}: as fast as they go`, value: JOBS / seconds, unit: "jobs/s", note: `clients and nodes take ${Math.round(loadUs)} µs of another core for each`, ...(bars ? { target: ">= 1,000", pass: JOBS / seconds >= 1_000 } : {}) },
      { name: "its processor time for one", value: perJobUs, unit: "µs", note: `${Math.round(perS)} jobs/s of one core` },
      { name: "  verifying 4 signatures", value: parts.verifying, unit: "µs" },
      { name: "  signing 1", value: parts.signing, unit: "µs" },
      { name: "  hashing", value: parts.hashing, unit: "µs" },
      { name: "  schema checks", value: parts.schemas, unit: "µs" },
      { name: "  JSON, and its canonical form", value: parts.json, unit: "µs" },
      { name: "  the rest of opening and sealing", value: parts.envelopes - parts.verifying - parts.signing - parts.hashing - parts.schemas - parts.json, unit: "µs" },
      { name: "  scheduling, sockets, 6 passed on", value: perJobUs - parts.envelopes, unit: "µs" },
      ...latency(times, rate, bars),
    ],
  };
};

/** What the router adds: from the client's job to the node's award, and from the node's result to the client; sockets included. */
const latency = (times: readonly JobTimes[], rate: number, bars: boolean): BenchRow[] => {
  const added = times.map(({ awardUs, resultUs }) => awardUs + resultUs).sort((a, b) => a - b);
  const at = (share: number): number => added[Math.floor(share * (added.length - 1))]! / 1_000;
  return [
    { name: `latency it adds at ${rate} jobs/s, p50`, value: at(0.5), unit: "ms", ...(bars ? { target: "< 2", pass: at(0.5) < 2 } : {}) },
    { name: "p99", value: at(0.99), unit: "ms" },
  ];
};
