import { expect, test, vi } from "vitest";
import { FAILURE, PRICE } from "./causes.ts";
import type { Compared } from "./losses.ts";
import type * as Losses from "./losses.ts";
import { postedPrice, smallSetup } from "./testing/market.ts";

let fault: (result: Compared, losses: Float64Array) => Compared = (result) => result;

vi.mock("./losses.ts", async (original) => {
  const module = await original<typeof Losses>();
  return { ...module, compare: (jobs: Parameters<typeof module.compare>[0], losses: Float64Array) => fault(module.compare(jobs, losses), losses) };
});

const played = (): unknown => postedPrice(smallSetup(5, 200), 500, 600, (u) => 1_000 * u);

test.each<[string, typeof fault, RegExp | null]>([
  ["no fault", (result) => result, null],
  ["a first-best that promises one msat more", (result) => ({ ...result, firstBestMsat: result.firstBestMsat + 1 }), /welfare accounts is broken: a surplus of \d+ msat and losses of \d+ msat make \d+ msat, the first-best is \d+ msat/],
  ["a loss that is counted twice", (result, losses) => { losses[PRICE]! *= 2; return result; }, /the first-best is/],
  ["a loss that no cause has", (result, losses) => { losses[PRICE]! -= 1; return result; }, /the first-best is/],
  ["a negative loss that balances another", (result, losses) => { losses[PRICE]! += 3; losses[FAILURE]! -= 3; return result; }, /a loss is negative/],
])("the accounts of a run with %s", (_, planted, message) => {
  fault = planted;
  if (message === null) expect(played).not.toThrow();
  else expect(played).toThrow(message);
});
