import { Ajv2020 } from "ajv/dist/2020.js";
import { stringify } from "csv-stringify/sync";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { JobRow } from "../protocol/result.ts";
import { JOB_COLUMNS, JOB_HEADER, jobLine } from "./jobs-csv.ts";
import { renderJson } from "./json.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderNodesCsv } from "./nodes-csv.ts";
import { HOSTILE, odd, row, toy } from "./testing/reports.ts";

/** RFC 4180, as plainly as it goes. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    rows.at(-1)!.push(quoted === undefined ? bare! : quoted.replaceAll('""', '"'));
    if (end === "\n") rows.push([]);
  }
  rows.pop();
  return rows;
}

describe("report.json", () => {
  const schema = JSON.parse(readFileSync(new URL("../protocol/report.schema.json", import.meta.url), "utf8")) as Record<string, unknown>;
  const validate = new Ajv2020({ strict: false, allErrors: false }).compile(schema);

  test("keeps to the published schema, whatever the run", () => {
    for (const report of [toy, ...Object.values(odd)]) {
      const content: unknown = JSON.parse(renderJson(report));
      expect(content).toEqual(report);
      expect(validate(content), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  test.each<[string, (report: Record<string, any>) => void]>([ // oxlint-disable-line typescript/no-explicit-any -- faults are what the types forbid
    ["a field too many", (report) => { report["mood"] = "fine"; }],
    ["a field too few", (report) => { delete report["overall"].latency; }],
    ["a negative count", (report) => { report["allJobs"].completed = -1; }],
    ["a fraction of a millisatoshi", (report) => { report["overall"].paidMsat = 0.5; }],
    ["a share above 1", (report) => { report["nodes"][0].utilisation = 1.5; }],
    ["a digest that is none", (report) => { report["provenance"].resultsDigest = "abc"; }],
    ["another major version", (report) => { report["schemaVersion"] = "2.0"; }],
  ])("with %s, the schema refuses it", (_, plant) => {
    const content = JSON.parse(renderJson(toy)) as Record<string, unknown>;
    plant(content);
    expect(validate(content)).toBe(false);
  });

  test("has no line that only holds a number: lists of numbers stay together", () => {
    expect(renderJson(toy)).not.toMatch(/^\s*-?[\d.]+,?$/m);
  });
});

describe("jobs.csv", () => {
  const fields = (of: JobRow): string[] => JOB_COLUMNS.map((column) => (column.endsWith("Us") && of[column] === -1 ? "" : String(of[column])));
  const text = fc.oneof(fc.string(), fc.constantFrom("", 'a "quoted" name', "a,b", "a\nb", "a\rb", "ünïcode"));
  const jobRow: fc.Arbitrary<JobRow> = fc.record({ job: text, clientClass: text, reason: text, node: text, operatorClass: text, submittedUs: fc.maxSafeNat(), firstTokenUs: fc.oneof(fc.constant(-1), fc.maxSafeNat()), metGoals: fc.boolean() })
    .map((parts) => ({ ...row, ...parts }));

  test("reads back field by field", () => {
    fc.assert(fc.property(fc.array(jobRow, { maxLength: 5 }), (rows) => {
      const [head, ...lines] = parseCsv(JOB_HEADER + rows.map(jobLine).join(""));
      expect(head).toEqual([...JOB_COLUMNS]);
      expect(lines).toEqual(rows.map(fields));
    }), { seed: 1 });
  });

  test("is what csv-stringify would have written", () => {
    fc.assert(fc.property(jobRow, (of) => {
      expect(jobLine(of)).toBe(stringify([fields(of)], { quoted_match: /\r/ }));
    }), { seed: 1 });
  });

  test("has every field of a row", () => {
    expect([...JOB_COLUMNS].toSorted()).toEqual(Object.keys(row).toSorted());
  });
});

test("nodes.csv has one line per node, with every figure of the report", () => {
  const [head, ...lines] = parseCsv(renderNodesCsv(toy));
  expect(lines.length).toBe(toy.nodes.length);
  lines.forEach((line, index) => {
    const { tokens, ...node } = toy.nodes[index]!;
    const account = toy.supply!.nodes[index]!;
    expect(account).toMatchObject({ name: node.name, revenueMsat: node.revenueMsat, electricityMsat: node.electricityMsat });
    const expected: Record<string, unknown> = { ...account, ...node, inputTokens: tokens.input, outputTokens: tokens.output };
    expect(Object.fromEntries(head!.map((column, at) => [column, line[at]]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([column, value]) => [column, value === null ? "" : String(value)])),
    );
  });
});

describe("report.md", () => {
  test("has tables whose rows are as wide as their heads, whatever the names", () => {
    for (const report of [toy, ...Object.values(odd)]) {
      let width = 0;
      for (const line of renderMarkdown(report).split("\n")) {
        const cells = line.startsWith("|") ? line.replaceAll("\\|", "").split("|").length : 0;
        if (width > 0 && cells > 0) expect(cells).toBe(width);
        width = cells;
      }
    }
  });

  test("says what happened, and holds neither NaN nor undefined", () => {
    const text = renderMarkdown(toy);
    expect(text).toContain("What does a report look like?");
    expect(text).toContain("![How long did jobs take?](plots/latency.svg)");
    for (const report of [toy, ...Object.values(odd)]) expect(renderMarkdown(report)).not.toMatch(/NaN|undefined|Infinity|\bnull\b/);
  });

  test("says what the scenario's author assumes, in paragraphs, with indented lines as they are", () => {
    const described = (description: string | number | null): string =>
      renderMarkdown({ ...toy, provenance: { ...toy.provenance, scenario: { ...toy.provenance.scenario, resolved: { description } } } });
    expect(described("Prices are\nassumed, *all*.\n\nTry:\n  --set a=1\n    --set b=<script>\nor else.\n"))
      .toContain("\n## The scenario\n\nPrices are assumed, \\*all\\*.\n\nTry:\n\n    --set a=1\n    --set b=<script>\n\nor else.\n\n## How jobs ended\n");
    for (const nothing of ["", " \n", null, 7]) expect(described(nothing)).not.toContain("## The scenario");
  });

  test("calls no goal met where there is none", () => {
    const goodput = { ...toy.overall.goodput, goals: [] };
    const text = renderMarkdown({ ...toy, overall: { ...toy.overall, goodput } });
    expect(text).toContain("| completed within every latency goal | – |");
    expect(renderMarkdown(toy)).toMatch(/\| completed within every latency goal \| [\d.]+ % \|/);
  });

  test("takes names as text, not as markup", () => {
    const text = renderMarkdown(odd["hostile names"]!);
    expect(text).toContain(String.raw`\<script\>alert`);
    expect(text).not.toMatch(/[^\\]<script/);
    expect(text).not.toContain("[l](http");
    expect(HOSTILE).toContain("[l](http");
  });
});
