import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { machines } from "./machines.ts";
import { models } from "./models.ts";
import { cataloguePage } from "./page.ts";

test("CATALOGUE.md is current; if not: node sim/world/catalogue/calibration/generate.ts", () => {
  expect(readFileSync(new URL("CATALOGUE.md", import.meta.url), "utf8")).toBe(cataloguePage());
});

test("it names every machine and model with its source", () => {
  const page = cataloguePage();
  for (const { name, source } of [...machines, ...models]) {
    expect(page).toContain(`| ${name} |`);
    expect(page).toContain(source);
  }
});
