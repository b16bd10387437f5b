import { describe, expect, test } from "vitest";
import { electricity, electricityOfAll } from "./electricity.ts";

const hourUs = 3_600_000_000;

describe("a node's electricity", () => {
  test("is idle power while up, power under load while active", () => {
    const power = { idleWatts: 50, loadWatts: 350 };
    expect(electricity({ power }, 2 * hourUs, 0)).toEqual({ energyKwh: 0.1, electricityMsat: null });
    expect(electricity({ power }, 2 * hourUs, 2 * hourUs)).toEqual({ energyKwh: 0.7, electricityMsat: null });
    expect(electricity({ power }, 2 * hourUs, hourUs)).toEqual({ energyKwh: 0.4, electricityMsat: null });
    expect(electricity({ power }, 0, 0)).toEqual({ energyKwh: 0, electricityMsat: null });
  });

  test("costs what is exactly due, and the next millisatoshi where that is a fraction", () => {
    const at = (electricityMsatPerKwh: number, upUs: number): number | null => electricity({ power: { idleWatts: 0.1, loadWatts: 0.1 }, electricityMsatPerKwh }, upUs, 0).electricityMsat;
    // 0.1 W for 10,000 h is 1 kWh.
    expect(at(200_000, 10_000 * hourUs)).toBe(200_000);
    expect(at(200_000, 10_000 * hourUs + 1)).toBe(200_001);
    expect(at(200_000, 10_000 * hourUs - 1)).toBe(200_000);
    expect(at(0, hourUs)).toBe(0);
    expect(at(1, 1)).toBe(1);
  });

  test("is exact where a double would not be: a century at a megawatt", () => {
    const centuryUs = 876_600 * hourUs;
    expect(electricity({ power: { idleWatts: 1e6, loadWatts: 1e6 }, electricityMsatPerKwh: 1_000_001 }, centuryUs, centuryUs).electricityMsat).toBe(876_600_000 * 1_000_001);
  });

  test("is not known without power, and has no cost without a price", () => {
    expect(electricity({ electricityMsatPerKwh: 1 }, hourUs, 0)).toEqual({ energyKwh: null, electricityMsat: null });
    expect(electricity({ power: null, electricityMsatPerKwh: 1 }, hourUs, 0)).toEqual({ energyKwh: null, electricityMsat: null });
    expect(electricity({ power: { idleWatts: 1_000, loadWatts: 1_000 }, electricityMsatPerKwh: null }, hourUs, 0)).toEqual({ energyKwh: 1, electricityMsat: null });
  });
});

test("a class has its nodes' sums, or nothing where one is not known", () => {
  const one = { energyKwh: 1, electricityMsat: 5 };
  expect(electricityOfAll([one, { energyKwh: 0.5, electricityMsat: 3 }])).toEqual({ energyKwh: 1.5, electricityMsat: 8 });
  expect(electricityOfAll([one, { energyKwh: 0.5, electricityMsat: null }])).toEqual({ energyKwh: 1.5, electricityMsat: null });
  expect(electricityOfAll([])).toEqual({ energyKwh: null, electricityMsat: null });
});
