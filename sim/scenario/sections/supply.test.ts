import { describe, expect, test } from "vitest";
import { loadScenario } from "../load.ts";
import { messageOf } from "../testing/sound-scenario.ts";
import type { Scenario } from "../scenario.ts";

const HOUR = 3_600_000_000;
const source = `
name: supply
question: What do operators of this class pay for?
horizon: 1h
exchangeRate: [100000 USD/btc, 80000 EUR/btc]
operators:
  - name: gpu
    machine: RTX 4090
    model: llama-3.1-8b:q4_k_m
    price: {input: 0.02 USD/Mtok, output: 60 sat/Mtok}
    costs: {}
clients:
  - {name: c, model: llama-3.1-8b:q4_k_m, arrivals: {poisson: {rate: 1/s}}, inputTokens: 10, outputTokens: 10}
`;
const files: Readonly<Record<string, string>> = {
  "day.csv": "time,price\n0h,0.10 USD/kWh\n7h,0.30 USD/kWh\n",
  "spot.csv": "# EUR/MWh\n2026-01-01T00:00Z,80\n2026-01-01T01:00Z,120\n",
  "btc.csv": "0h,100000 USD/btc\n1h,125000 USD/btc\n",
  "back.csv": "0h,1 sat/kWh\n2h,1 sat/kWh\n1h,1 sat/kWh\n",
};
const load = (...sets: readonly string[]): Scenario => loadScenario(source, "a.yaml", { sets, readText: (path) => files[path] ?? fail(path) }).scenario;
const fail = (path: string): never => { throw new Error(path); };
const supply = (...sets: readonly string[]) => load(...sets).operators[0]!.supply!;

describe("costs", () => {
  test("default to the catalogue's machine, in msat where the rate stands still", () => {
    expect(supply().costs).toEqual({
      machine: { kind: "owned", price: { currency: "msat", units: 1599e6 }, residual: { currency: "msat", units: 319.8e6 }, lifeUs: 4 * 8766 * HOUR, maintenancePpmPerYear: 0, failurePpmPerYear: 0 },
      capitalPpmPerYear: 60_000, bandwidthPerGb: null, bytesPerToken: 100,
    });
  });

  test("stay in fiat where it moves", () => {
    expect(supply("exchange={gbm: {}}", "operators.gpu.costs={purchase: 1600 EUR, residual: 0 %, maintenance: 2 %/year, failure: 50 bps/year, bandwidth: 20 USD/TB}").costs).toEqual({
      machine: { kind: "owned", price: { currency: "EUR", units: 1600e6 }, residual: { currency: "EUR", units: 0 }, lifeUs: 4 * 8766 * HOUR, maintenancePpmPerYear: 20_000, failurePpmPerYear: 5_000 },
      capitalPpmPerYear: 60_000, bandwidthPerGb: { currency: "USD", units: 20_000 }, bytesPerToken: 100,
    });
  });

  test("may be a rent by the hour or the month", () => {
    expect(supply("operators.gpu.costs={rent: 0.3 USD/h}").costs?.machine).toEqual({ kind: "rented", perHour: { currency: "msat", units: 300_000 } });
    expect(supply("operators.gpu.costs={rent: 73.05 USD/month}").costs?.machine).toEqual({ kind: "rented", perHour: { currency: "msat", units: 100_000 } });
  });

  test("are none of today's scenarios' concern", () => {
    const { operators: [gpu] } = loadScenario(source.replace("    costs: {}\n", "    electricity: 0.12 USD/kWh\n"), "a.yaml").scenario;
    expect(gpu).toMatchObject({ supply: null, electricityMsatPerKwh: 120_000 });
  });
});

describe("electricity", () => {
  test("by hour and day of the week: the last that applies counts, over midnight too", () => {
    const { tariff } = supply("operators.gpu.electricity={timeOfUse: [{price: 300 sat/kWh}, {price: 100 sat/kWh, hours: [22, 6], days: [sun]}]}");
    expect(tariff?.periodUs).toBe(168 * HOUR);
    expect(tariff?.steps.map(({ atUs, perKwh }) => [atUs / HOUR, perKwh.units / 1000])).toEqual([[0, 100], [6, 300], [6 * 24 + 22, 100]]);
    expect(load("operators.gpu.electricity={timeOfUse: [{price: 300 sat/kWh}, {price: 100 sat/kWh, days: weekend}]}").operators[0]?.electricityMsatPerKwh).toBe(Math.round(300_000 * 5 / 7 + 100_000 * 2 / 7));
  });

  test("from a file, with durations and units", () => {
    const { tariff } = supply("operators.gpu.electricity={file: day.csv, period: 1d}");
    expect(tariff).toEqual({ periodUs: 24 * HOUR, steps: [{ atUs: 0, perKwh: { currency: "msat", units: 100_000 } }, { atUs: 7 * HOUR, perKwh: { currency: "msat", units: 300_000 } }] });
  });

  test("in steps", () => {
    const { tariff } = supply("operators.gpu.electricity={steps: [[0h, 0.10 USD/kWh], [7h, 0.30 USD/kWh]], period: 1d}");
    expect(tariff).toEqual(supply("operators.gpu.electricity={file: day.csv, period: 1d}").tariff);
    expect(load("exchange={steps: [[0h, 100000 USD/btc], [1h, 125000 USD/btc]]}").exchange?.moves).toEqual(load("exchange={file: btc.csv}").exchange?.moves);
  });

  test("from a file, with dates and bare numbers", () => {
    const { tariff } = supply("operators.gpu.electricity={file: spot.csv, unit: EUR/MWh}");
    expect(tariff).toEqual({ periodUs: null, steps: [{ atUs: 0, perKwh: { currency: "msat", units: 100_000 } }, { atUs: HOUR, perKwh: { currency: "msat", units: 150_000 } }] });
  });
});

describe("the exchange rate", () => {
  test("stands still, follows a file, or walks", () => {
    expect(load("exchange=constant").exchange).toBe(null);
    expect(load("exchange={file: btc.csv}").exchange?.moves).toEqual({ kind: "path", points: [{ atUs: 0, relative: 1 }, { atUs: HOUR, relative: 1.25 }] });
    expect(load("exchange={gbm: {volatility: 80 %, drift: 10 %/year, fall: true, every: 1d}}").exchange?.moves).toEqual({ kind: "gbm", driftPerYear: -0.1, volatility: 0.8, everyUs: 24 * HOUR });
  });

  test("makes quotes in fiat a matter of time", () => {
    expect(supply("operators.gpu.quote=USD").quote).toBe(null);
    expect(supply("operators.gpu.quote=USD", "exchange={gbm: {}}").quote).toEqual({ currency: "USD", everyUs: 600_000_000, inputUnitsPerMtok: 20_000, outputUnitsPerMtok: 60_000, fixedUnits: 0 });
  });
});

test("entry", () => {
  expect(supply("operators.gpu.count=0", "operators.gpu.entry={potential: 50, outside: 0.05 USD/h, spread: 10 %}").entry).toEqual({
    potential: 50, outsidePerHour: { currency: "msat", units: 50_000 }, outsideCv: 0.1, everyUs: 24 * HOUR, delayUs: 72 * HOUR, exitDelayUs: 24 * HOUR, memoryUs: 48 * HOUR, announced: true,
  });
});

test.each<[string, readonly string[], string]>([
  ["no nodes and nobody to join", ["operators.gpu.count=0"], "operators[0].count: found 0; allowed: at least 1, or `entry` with nodes that may join"],
  ["fewer nodes than there are", ["operators.gpu.count=5", "operators.gpu.entry={potential: 4}"], "operators[0].entry.potential: found 4; allowed: at least the 5 nodes that are there at the start"],
  ["an hour without a price", ["operators.gpu.electricity={timeOfUse: [{price: 1 sat/kWh, hours: [6, 22]}]}"], "operators[0].electricity.timeOfUse: found no price on mon at 0:00; allowed: prices for every hour of the week: a first entry without hours and days covers them all"],
  ["a machine both bought and rented", ["operators.gpu.costs={purchase: 5 sat, rent: 1 sat/h}"], "operators[0].costs.rent: found rent and purchase; allowed: one of them"],
  ["a file that is not there", ["operators.gpu.electricity={file: none.csv}"], "operators[0].electricity.file: found \"none.csv\", which cannot be read; allowed: a text file that can be read"],
  ["bare numbers whose unit nobody states", ["operators.gpu.electricity={file: spot.csv}"], "one unit for all bare numbers, as in `{file: prices.csv, unit: EUR/MWh}`"],
  ["rates whose unit nobody states", ["exchange={file: spot.csv}"], "one unit for all bare numbers, as in `file: {path: rates.csv, unit: USD/btc}`"],
  ["times that go back", ["operators.gpu.electricity={file: back.csv}"], "operators[0].electricity.file: found \"1h\" in line 3 of \"back.csv\"; allowed: times that grow from line to line"],
  ["steps that do not begin", ["operators.gpu.electricity={steps: [[1h, 1 sat/kWh]]}"], "operators[0].electricity.steps[0][0]: found a later time; allowed: time 0 first"],
  ["steps that go back", ["exchange={steps: [[0h, 100000 USD/btc], [2h, 90000 USD/btc], [1h, 80000 USD/btc]]}"], "exchange.steps[2][0]: found a time that is not later than the one before; allowed: times that grow"],
  ["quotes in fiat with a strategy of their own", ["exchange={gbm: {}}", "operators.gpu.quote=USD", "operators.gpu.strategy={utilisation: {}}"], "operators[0].quote: found USD, with a strategy that sets prices itself; allowed: msat, or strategy: fixed"],
  ["another unit in a file", ["exchange={file: day.csv}"], "exchange.file: found \"0.10 USD/kWh\", a price of energy in line 2 of \"day.csv\""],
  ["a path that starts elsewhere", ["exchangeRate=50000 USD/btc", "exchange={file: btc.csv}"], "exchange.file: found 100000 USD/btc at the start; allowed: the scenario's exchangeRate, 50000 USD/btc"],
  ["an amount that is no rent", ["operators.gpu.costs.rent=1 USD"], "operators[0].costs.rent: found \"1 USD\", an amount of money; allowed: an amount of money per time such as 0.30 USD/h, 300 sat/h or 20 USD/month"],
])("refuses %s", (_, sets, message) => {
  expect(messageOf(() => load(...sets))).toContain(message);
});
