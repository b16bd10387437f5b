import { expect, test } from "vitest";
import { renderFigure } from "../plots/figure.ts";
import { calibrationFigure } from "./figure.ts";

const groups = [
  { name: "prompts", points: [{ measuredUs: 100_000, fittedUs: 110_000, used: true }, { measuredUs: 400_000, fittedUs: 400_000, used: false }] },
  { name: "decode steps", points: [{ measuredUs: 10_000, fittedUs: 30_000, used: true }] },
  { name: "mixed steps", points: [] },
];

test("every point is drawn twice, with what was said of the fit", () => {
  const svg = renderFigure(calibrationFigure({ name: "a machine", verdict: "The form fits.", groups }));
  expect(svg.match(/<circle [^>]*r="3.5"/g)?.length).toBe(6);
  expect(svg).toContain("Measured and fitted: a machine");
  expect(svg).toContain("The form fits.");
  expect(svg).toContain("larger errors lie at the edge");
  expect(svg).not.toContain("mixed steps");
});

test("nothing to draw is said", () => {
  expect(renderFigure(calibrationFigure({ name: "nothing", verdict: "", groups: [] }))).toContain("There are no points.");
});
