import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ReportFolder } from "./folder.ts";
import { PLOTS } from "./plots/titles.ts";
import { empty, row, toy } from "./testing/reports.ts";

const FILES = ["index.html", "jobs.csv", "nodes.csv", "plots", ...PLOTS.map((name) => `plots/${name}.svg`).toSorted(), "report.json", "report.md"];

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "report-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const list = (path: string): string[] => readdirSync(path, { recursive: true }).map(String).toSorted();
const write = (path: string, report = toy): void => {
  const folder = new ReportFolder(path);
  folder.addJob(row);
  folder.finish(report);
  folder.close();
};

test("a report is all its files, and nothing else", () => {
  write(join(root, "a", "b"));
  expect(list(join(root, "a", "b"))).toEqual(FILES);
  expect(readFileSync(join(root, "a", "b", "jobs.csv"), "utf8").split("\n")).toHaveLength(3);
});

test("the same report has the same bytes", () => {
  write(join(root, "a"));
  write(join(root, "b"));
  for (const name of FILES.filter((file) => file !== "plots")) expect(readFileSync(join(root, "b", name)).equals(readFileSync(join(root, "a", name))), name).toBe(true);
});

test("until the end there is no report, and one that is given up leaves nothing behind", () => {
  const folder = new ReportFolder(join(root, "a"));
  for (let job = 0; job < 2_000; job++) folder.addJob(row);
  expect(list(join(root, "a")).filter((name) => FILES.includes(name))).toEqual([]);
  folder.close();
  expect(existsSync(join(root, "a"))).toBe(false);
  folder.close();
});

test("an earlier report stays until the new one is whole, and other files stay for good", () => {
  const path = join(root, "a");
  write(path, empty);
  writeFileSync(join(path, "notes.md"), "mine");
  const before = readFileSync(join(path, "report.json"), "utf8");
  const folder = new ReportFolder(path);
  folder.addJob(row);
  expect(readFileSync(join(path, "report.json"), "utf8")).toBe(before);
  folder.close();
  expect(readFileSync(join(path, "report.json"), "utf8")).toBe(before);
  write(path, toy);
  expect(readFileSync(join(path, "report.json"), "utf8")).not.toBe(before);
  expect(list(path)).toEqual([...FILES, "notes.md"].toSorted());
});

test("a report of another kind goes when its page does: none is read with the tables of the new one", () => {
  const path = join(root, "a");
  mkdirSync(path);
  for (const name of ["replications.json", "replications.md", "viability.json"]) writeFileSync(join(path, name), "earlier");
  write(path, toy);
  expect(list(path)).toEqual([...FILES, "viability.json"].toSorted());
});

test("what is in the way is named before anything is played", () => {
  writeFileSync(join(root, "file"), "");
  expect(() => new ReportFolder(join(root, "file"))).toThrow(/file is a file; a report needs a folder/);
  mkdirSync(join(root, "a", "report.json"), { recursive: true });
  expect(() => new ReportFolder(join(root, "a"))).toThrow(/report\.json is a folder/);
  mkdirSync(join(root, "b"));
  writeFileSync(join(root, "b", "plots"), "");
  expect(() => new ReportFolder(join(root, "b"))).toThrow(/plots is a file/);
});
