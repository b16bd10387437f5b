import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { page, pageFile } from "./testing/page.ts";
import { comparisonsInSuite, suite } from "./testing/suite.ts";

test("README.md has every case once, and its introduction tells what the tables say", () => {
  const text = readFileSync(pageFile, "utf8");
  const sections = text.split(/^(?=### )/m).slice(1);
  expect(sections.map((section) => section.slice(4, section.indexOf("\n")))).toEqual(suite.map(({ name }) => name));
  expect(text).toBe(page(sections.map((section, i) => (i < sections.length - 1 ? section.slice(0, -1) : section))));
  expect(sections.join("").match(/\| (yes|no) \|/g)).toHaveLength(comparisonsInSuite);
});

test("names of cases are unique: their seeds are", () => {
  expect(new Set(suite.map(({ name }) => name)).size).toBe(suite.length);
});
