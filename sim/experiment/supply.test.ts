import { describe, expect, test } from "vitest";
import type { RunReport, Supply } from "../../protocol/result.ts";
import { loadScenario } from "../scenario/load.ts";
import { checkSupply } from "./recorder/supply.ts";
import { runScenario } from "./run.ts";

const HOUR = 3_600_000_000;
const files: Readonly<Record<string, string>> = { "doubles.csv": "0h,100000 USD/btc\n5h,200000 USD/btc\n" };
const play = (source: string, ...sets: readonly string[]): RunReport => runScenario(loadScenario(source, "supply.yaml", { sets, readText: (path) => files[path]! }).scenario);
const accountsOf = (report: RunReport): Supply => report.supply!;

/** One server, busy for 30 minutes of every hour, from half past on: each job is posted on the hour and 30 minutes of work. */
const clockwork = `
name: clockwork
question: What does a machine cost that works half of the time?
horizon: 10h
exchangeRate: 100000 USD/btc
network: {latency: 0, sameRegion: 0, signing: 0, verifying: 0}
payment: {latency: 0, clientBalance: 1 btc}
router: {jobTimeout: forever}
operators:
  - name: gpu
    machine: {name: heater, family: cpu, memory: 1 GB, bandwidth: 1 GB/s, compute: 1 GFLOP/s, power: {idle: 100W, load: 1100W}}
    model: m
    engine: {service-time: {service: 30min}}
    price: {fixed: 1000 sat}
    stake: 0.01 btc
    costs: {purchase: 876.6 USD, residual: 0 %, life: 1y, capital: 10 %/year, maintenance: 5 %/year, failure: 2 %/year, bandwidth: 1 sat/MB}
    electricity: {timeOfUse: [{price: 100 sat/kWh}, {price: 300 sat/kWh, hours: [4, 6]}]}
clients:
  - {name: c, model: m, arrivals: {regular: {rate: 1/h}}, inputTokens: 600, outputTokens: 400, maxPrice: 1 btc, patience: forever}
`.replace("1 sat/MB", "1000 sat/GB");

describe("accounts through the whole market path", () => {
  test("are what a pencil says", () => {
    const [gpu] = accountsOf(play(clockwork)).operatorClasses;
    const jobs = gpu!.revenueMsat / 1_000_000;
    expect(jobs).toBe(9); // the first is posted after an hour
    // Hours 4 and 5 are dear. A job runs from each full hour on: 0.1 kW idle all the time, 1 kW more for half an hour each.
    const kwh = 0.1 * 10 + 1 * 9 * 0.5;
    const dearKwh = 0.1 * 2 + 1 * 2 * 0.5;
    expect(gpu).toEqual({
      name: "gpu", unknown: [], ownedUs: 10 * HOUR, revenueMsat: 9_000_000,
      electricityMsat: Math.round((kwh - dearKwh) * 100_000 + dearKwh * 300_000),
      depreciationMsat: 10 * 100_000, // 876.6 USD over 8,766 h
      rentMsat: 0,
      capitalMsat: Math.ceil(876.6e6 / 2 * 0.1 * 10 / 8766),
      stakeMsat: Math.ceil(1e9 * 0.1 * 10 / 8766),
      maintenanceMsat: Math.ceil((876.6e6 * 0.05 + 876.6e6 / 2 * 0.02) * 10 / 8766),
      bandwidthMsat: 9 * 100, // 1,000 tokens of 100 bytes are 100 kB
      routerFeesMsat: 0, lightningFeesMsat: 0,
      costsMsat: gpu!.costsMsat, profitMsat: 9_000_000 - gpu!.costsMsat, profitMsatPerHour: (9_000_000 - gpu!.costsMsat) / 10,
    });
  });

  test("count the router's fee where the operator bears it", () => {
    const bears = accountsOf(play(clockwork, "router.fee={share: 10 %, bearer: operator}")).operatorClasses[0]!;
    expect(bears).toMatchObject({ revenueMsat: 9_000_000, routerFeesMsat: 900_000 });
    expect(accountsOf(play(clockwork, "router.fee={share: 10 %}")).operatorClasses[0]).toMatchObject({ revenueMsat: 9_000_000, routerFeesMsat: 0 });
  });

  test("count Lightning's fees where payees bear them", () => {
    const fees = (bearer: string): number => accountsOf(play(clockwork, "payment={latency: 0, clientBalance: 1 btc, baseFee: 1 sat, feePpm: 1000, failure: 0, feeBearer: " + bearer + "}")).operatorClasses[0]!.lightningFeesMsat;
    expect(fees("payer")).toBe(0);
    expect(fees("payee")).toBe(9 * 2_000);
  });

  test("are the same at a tariff that has the same price at all hours, and at a rate that moves where nothing is in fiat", () => {
    const msat = ["operators.gpu.costs.purchase=876600 sat"];
    const flat = accountsOf(play(clockwork, ...msat, "operators.gpu.electricity=100 sat/kWh"));
    const hourly = accountsOf(play(clockwork, ...msat, "operators.gpu.electricity={timeOfUse: [{price: 100 sat/kWh}, {price: 100 sat/kWh, hours: [3, 7]}]}"));
    const moving = accountsOf(play(clockwork, ...msat, "operators.gpu.electricity=100 sat/kWh", "exchange={gbm: {every: 7min}}"));
    expect(hourly).toEqual(flat);
    expect({ ...moving, exchange: null }).toEqual(flat);
  });

  test("follow the rate: a bitcoin worth twice as much halves what fiat costs from then on", () => {
    const before = accountsOf(play(clockwork)).operatorClasses[0]!;
    const after = accountsOf(play(clockwork, "exchange={file: doubles.csv}")).operatorClasses[0]!;
    expect(after.depreciationMsat).toBe(before.depreciationMsat * 3 / 4);
    expect(after.electricityMsat).toBe(before.electricityMsat);
  });

  test("leave the warm-up out, and keep to the measured interval", () => {
    const { supply, operatorClasses } = play(clockwork, "warmup=4h");
    expect(supply!.operatorClasses[0]).toMatchObject({ ownedUs: 6 * HOUR, depreciationMsat: 600_000 });
    expect(operatorClasses[0]!.electricityMsat).toBe(supply!.operatorClasses[0]!.electricityMsat);
    expect(supply!.overTime[0]!.nodes.every((nodes) => nodes === 1)).toBe(true);
  });

  test("are none where nothing is said of costs", () => {
    const silent = clockwork.replace(/ {4}costs:.*\n {4}electricity:.*\n/, "");
    expect(play(silent).supply).toBe(null);
  });

  const eventful = `
name: eventful
question: Do the accounts add up whatever happens?
horizon: 3d
warmup: 5h
exchangeRate: [100000 USD/btc, 90000 EUR/btc]
exchange: {gbm: {volatility: 200 %, every: 37min}}
router: {heartbeat: 1min, fee: {share: 3 %}, queue: {limit: 5}}
payment: {clientBalance: 1 btc}
operators:
  - name: a
    count: 3
    machine: RTX 3090
    model: m
    engine: {service-time: {service: {exponential: {mean: 20min}}, slots: 2}}
    price: {fixed: 0.5 USD, spread: 20 %}
    quote: {currency: USD, every: 50min}
    costs: {maintenance: 3 %/year, bandwidth: 0.05 EUR/GB}
    electricity: {timeOfUse: [{price: 0.30 EUR/kWh}, {price: 0.10 EUR/kWh, hours: [22, 5]}]}
    churn: {uptime: {exponential: {mean: 5h}}, downtime: {exponential: {mean: 1h}}, abrupt: 50 %}
    entry: {potential: 9, outside: 0.02 USD/h, spread: 50 %, every: 6h, delay: 3h, exitDelay: 2h, memory: 8h}
  - name: b
    count: 0
    model: m
    engine: {service-time: {service: {exponential: {mean: 30min}}}}
    price: {fixed: 400 sat}
    costs: {rent: 0.1 EUR/h}
    entry: {potential: 5, every: 5h, delay: 1h, exitDelay: 0, memory: 8h, announced: false}
clients:
  - {name: c, model: m, arrivals: {poisson: {rate: 12/h}}, inputTokens: 1000, outputTokens: 500, maxPrice: {uniform: {min: 0.1 USD, max: 2 USD}}, patience: 3h}
  - {name: d, model: m, arrivals: {poisson: {rate: 5/h}}, inputTokens: 1000, outputTokens: 500, maxPrice: 900 sat, patience: 3h}
`;

  test.each([1, 2, 3, 4])("add up with churn, tariffs, a wild rate, quotes in fiat, entry and exit (seed %d)", (seed) => {
    const report = play(eventful, `seed=${seed}`);
    const { supply, nodes, checks } = report;
    expect(checks.laws.find(({ law }) => law === "profit accounts")!.passed).toBeGreaterThan(20);
    supply!.nodes.forEach((node, n) => {
      expect(node.revenueMsat).toBe(nodes[n]!.revenueMsat);
      expect(node.ownedUs).toBeGreaterThanOrEqual(nodes[n]!.availability! * (report.horizonUs - report.warmupUs) - 1);
    });
    for (const { name, potential, joins, leaves, atStart, atEnd } of supply!.entry) {
      expect(atEnd).toBeLessThanOrEqual(potential);
      const [{ nodes: series }] = supply!.overTime.filter((row) => row.name === name) as [Supply["overTime"][number]];
      expect(Math.max(...series as number[])).toBeLessThanOrEqual(atStart + joins);
      expect(joins - leaves).toBeGreaterThanOrEqual(atEnd - atStart);
    }
    expect(supply!.exchange!.requotes).toBeGreaterThan(0);
    expect(supply!.exchange!.parties.some(({ gainMsat }) => gainMsat !== 0)).toBe(true);
  });
});

describe("who bears the exchange rate", () => {
  const gains = (report: RunReport): Record<string, number> => Object.fromEntries(report.supply!.exchange!.parties.map(({ role, gainMsat }) => [role, gainMsat]));

  test("with prices in msat: a bitcoin that doubles is the operator's gain and the client's loss, to the msat", () => {
    const report = play(clockwork, "exchange={file: doubles.csv}", "router.fee={share: 10 %}");
    // Jobs that run from 1 h to 4 h are paid before the rate moves, the other five after: half of what they brought is gain.
    expect(gains(report)).toEqual({ operators: 5 * 500_000, routers: 5 * 50_000, clients: -5 * 550_000 });
    expect(report.supply!.exchange!.heldByFiatMsat).toBe(5 * 500_000);
    expect(report.supply!.exchange!.parties.map(({ role, inFiat }) => [role, inFiat])).toEqual([["operators", true], ["clients", false], ["routers", false]]);
  });

  test("with prices in fiat, posted anew: only what moved between quote and payment", () => {
    const report = play(clockwork, "exchange={file: doubles.csv}", "operators.gpu.quote={currency: USD, every: 1min}", "clients.c.maxPrice=1000 USD");
    // Quoted at 1,000 sat until 5 h and at 500 sat afterwards; the job posted at 5 h went at the old quote or the new one.
    expect(report.supply!.exchange!.requotes).toBe(1);
    expect(report.overall.paidMsat).toBeLessThanOrEqual(9_000_000 - 4 * 500_000);
    expect(Math.abs(gains(report)["operators"]!)).toBeLessThanOrEqual(500_000);
    expect(report.supply!.exchange!.heldByFiatMsat).toBe(0);
  });

  test("with clients who count in fiat: what they pay at most follows the rate", () => {
    const paid = (maxPrice: string): number => play(clockwork, "exchange={file: doubles.csv}", `clients.c.maxPrice=${maxPrice}`).overall.jobs.completed;
    expect(paid("1000 sat")).toBe(9);
    // 1 USD buys 1,000 sat before 5 h and 500 sat afterwards, too little for a price in sat that stays.
    expect(paid("1 USD")).toBe(4);
  });
});

describe("free entry through the whole market path", () => {
  // 26 jobs an hour at 100 sat, nodes at 200 sat and outside options of 50 sat an hour: the tenth node still earns it.
  const market = `
name: entry
question: How many operators are there in the long run?
horizon: 40d
warmup: 10d
router: {heartbeat: 5min}
payment: {clientBalance: 10 btc}
operators:
  - name: gpu
    count: 2
    model: m
    engine: {service-time: {service: {exponential: {mean: 60s}}, slots: 4}}
    price: {fixed: 100 sat}
    costs: {rent: 200 sat/h}
    entry: {potential: 30, outside: 50 sat/h, every: 1d, delay: 1d, exitDelay: 1d, memory: 2d}
clients:
  - {name: c, model: m, arrivals: {poisson: {rate: 26/h}}, inputTokens: 10, outputTokens: 10, patience: 1h, maxPrice: 1000 sat}
`;
  const equilibrium = Math.floor(26 * 100 / (200 + 50));

  test.each([["below", 2], ["nobody", 0], ["above", 30]])("comes to the zero-profit number from %s", (_, count) => {
    const report = play(market, `operators.gpu.count=${count}`);
    const { overTime: [series], operatorClasses: [gpu] } = report.supply!;
    const late = series!.nodes.slice(-Math.floor(series!.nodes.length / 2)) as number[];
    const mean = late.reduce((sum, nodes) => sum + nodes, 0) / late.length;
    expect(Math.abs(mean - equilibrium)).toBeLessThan(0.75);
    for (const nodes of late) expect(Math.abs(nodes - equilibrium)).toBeLessThanOrEqual(2);
    // Nobody earns much more than the outside option: one more node would take the rest.
    expect(gpu!.profitMsatPerHour).toBeGreaterThan(30_000);
    expect(gpu!.profitMsatPerHour).toBeLessThan(26 * 100_000 / equilibrium - 200_000 + 10_000);
    // Whoever leaves finishes what it holds.
    expect(report.overall.jobs).toMatchObject({ completed: report.overall.jobs.submitted, failed: 0 });
  });

  test("calls nobody poor who never came", () => {
    const { supply, structure } = play(market);
    const came = supply!.nodes.filter(({ ownedUs }) => ownedUs > 0).length;
    expect(came).toBeLessThan(30);
    expect(structure.lorenz.length).toBe(came + 1);
    // All who came earn alike, but for when they came.
    expect(structure.gini).toBeLessThan(0.5);
  });

  test("gives a planner no machine before somebody brings it", () => {
    const nobody = play(market, "operators.gpu.count=0", "operators.gpu.entry.every=100d", "horizon=11d");
    expect(nobody.overall.jobs.completed).toBe(0);
    expect(nobody.welfare).toMatchObject({ totalMsat: 0, firstBestMsat: 0 });
  });

  test("comes to another number when power gets dearer", () => {
    const nodesAt = (rent: string): number => play(market, `operators.gpu.costs.rent=${rent}`).supply!.entry[0]!.atEnd;
    expect(nodesAt("350 sat/h")).toBe(Math.floor(26 * 100 / 400));
  });
});

describe("an account that does not add up is found", () => {
  const sound = accountsOf(play(clockwork, "exchange={file: doubles.csv}"));
  const classOf = [0];

  test("and this one does", () => {
    expect(() => checkSupply(sound, classOf, 1)).not.toThrow();
  });

  test.each<[string, (supply: Supply) => void, RegExp]>([
    ["a cost that is in no part", (supply) => { supply.nodes[0]!.costsMsat++; }, /parts sum to/],
    ["a part too many", (supply) => { supply.nodes[0]!.rentMsat++; }, /parts sum to/],
    ["profit out of nothing", (supply) => { supply.nodes[0]!.profitMsat++; }, /revenue less costs/],
    ["a class that earns more than its nodes", (supply) => { supply.operatorClasses[0]!.revenueMsat++; supply.operatorClasses[0]!.profitMsat++; }, /its nodes' sum/],
    ["time that nobody owned", (supply) => { supply.operatorClasses[0]!.ownedUs++; }, /its nodes' sum/],
    ["a gain that nobody loses", (supply) => { supply.exchange!.parties[0]!.gainMsat++; }, /sum to 1 msat/],
    ["a risk that nobody bears", (supply) => { supply.exchange!.heldByFiatMsat++; }, /count in fiat/],
  ])("%s", (_, plant, message) => {
    const broken = structuredClone(sound);
    plant(broken);
    expect(() => checkSupply(broken, classOf, 1)).toThrow(message);
  });
});
