import { expect, test } from "vitest";
import { progressLines } from "./progress.ts";

test("a log gets one line for each tenth that was passed, and none for the drain", () => {
  const written: string[] = [];
  const progress = progressLines({ write: (text) => void written.push(text) });
  for (let percent = 0; percent <= 130; percent++) progress.update(percent * 36_000_000, 3_600_000_000, percent);
  progress.stop();
  expect(written).toHaveLength(10);
  expect(written[0]).toBe("10 % | 6 min simulated | 10 jobs\n");
  expect(written[9]).toBe("100 % | 1 h simulated | 100 jobs\n");
});

test("a leap over several tenths is one line", () => {
  const written: string[] = [];
  const progress = progressLines({ write: (text) => void written.push(text) });
  progress.update(550_000, 1_000_000, 3);
  expect(written).toEqual(["55 % | 550 ms simulated | 3 jobs\n"]);
});
