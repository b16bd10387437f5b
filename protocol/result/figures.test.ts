import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { RunReport } from "../result.ts";
import { absentFigure, figuresOf } from "./figures.ts";
import { findMetric, formatFigure, KEY_METRICS, METRICS, metricOfPath } from "./metrics.ts";

const report = JSON.parse(readFileSync(new URL("../../reports/fixtures/toy-report.json", import.meta.url), "utf8")) as RunReport;
const figures = figuresOf(report);
const classes = { clients: report.clientClasses.map(({ name }) => name), operators: report.operatorClasses.map(({ name }) => name) };

describe("figures of a run", () => {
  test("are the report's numbers by path, entries of lists by name", () => {
    const [client, operator, flow, reason] = [report.clientClasses[0]!, report.operatorClasses[0]!, report.flows[0]!, report.overall.reasons[0]!];
    expect(figures["overall.latency.endToEndUs.p95"]).toBe(report.overall.latency.endToEndUs.p95);
    expect(figures[`clientClasses.${client.name}.goodput.share`]).toBe(client.goodput.share);
    expect(figures[`operatorClasses.${operator.name}.nodes`]).toBe(operator.nodes);
    expect(figures[`flows.${flow.clientClass}.${flow.operatorClass}.paidMsat`]).toBe(flow.paidMsat);
    expect(figures[`overall.reasons.${reason.status}.${reason.reason}.jobs`]).toBe(reason.jobs);
    expect(figures["structure.hhi.nodes"]).toBe(report.structure.hhi.nodes);
    expect(figures["checks.little.meanInSystem"]).toBe(report.checks.little.meanInSystem);
  });

  test("are numbers or null, without single nodes, curves and what the scenario states", () => {
    expect(Object.entries(figures).filter(([, value]) => value !== null && !Number.isFinite(value))).toEqual([]);
    expect(Object.keys(figures).filter((path) => /overTime|histograms|^nodes|provenance|laws|\.edges|goals\.ttftUs|horizonUs/.test(path))).toEqual([]);
    expect(Object.keys(figures).length).toBeGreaterThan(200);
  });

  test("sum operators up in `market`", () => {
    expect(figures["market.revenueMsat"]).toBe(report.operatorClasses.reduce((sum, { revenueMsat }) => sum + revenueMsat, 0));
    const least = Math.min(...report.operatorClasses.map(({ utilisation }) => utilisation ?? 1));
    const most = Math.max(...report.operatorClasses.map(({ utilisation }) => utilisation ?? 0));
    expect(figures["market.utilisation"]).toBeGreaterThanOrEqual(least);
    expect(figures["market.utilisation"]).toBeLessThanOrEqual(most);
  });

  test("that are counted by reason are 0 where there is no such entry", () => {
    expect([absentFigure("overall.reasons.failed.x.jobs"), absentFigure("flows.a.b.paidMsat"), absentFigure("settlement.losses.x.msat")]).toEqual([0, 0, 0]);
    expect([absentFigure("flows.a.b.perMtokMsat"), absentFigure("overall.latency.ttftUs.mean")]).toEqual([null, null]);
  });
});

describe("metrics", () => {
  test("have one id each, and paths that reports have", () => {
    expect(new Set(METRICS.map(({ id }) => id)).size).toBe(METRICS.length);
    const whole = new Set(Object.keys(figures));
    expect(METRICS.map(({ path }) => path).filter((path) => !whole.has(path) && !path.startsWith("welfare."))).toEqual([]);
    for (const id of KEY_METRICS) expect(findMetric(id), id).not.toBeNull();
  });

  test("are found by id, by class, and by path; a path of a known metric is that metric", () => {
    const [client, operator] = [classes.clients[0]!, classes.operators[0]!];
    expect(findMetric("latency.p95")).toMatchObject({ path: "overall.latency.endToEndUs.p95", unit: "us", better: "lower" });
    expect(findMetric(`latency.p95@${client}`, classes)).toMatchObject({ path: `clientClasses.${client}.latency.endToEndUs.p95`, label: `p95 latency of ${client}` });
    expect(findMetric(`utilisation@${operator}`, classes)).toMatchObject({ path: `operatorClasses.${operator}.utilisation` });
    expect(findMetric("overall.latency.endToEndUs.p95")?.id).toBe("latency.p95");
    expect(metricOfPath(`clientClasses.${client}.goodput.share`).id).toBe(`goodput@${client}`);
    for (const nonsense of ["latency.p96", "latency.p95@nobody", `utilisation@${client}`, "@x", "", "nodes.a.jobs"]) expect(findMetric(nonsense, classes), nonsense).toBeNull();
    for (const path of Object.keys(figures)) expect(findMetric(path, classes)?.path).toBe(path);
  });

  test("carry their figure's unit", () => {
    const unit = (path: string): string => metricOfPath(path).unit;
    expect(["overall.latency.ttftUs.sd", "overall.latency.ttftUs.count", "overall.prices.perMtokMsat.max", "overall.paidMsat", "supply.operatorClasses.a.profitMsatPerHour"].map(unit))
      .toEqual(["us", "count", "msatPerMtok", "msat", "msatPerHour"]);
    expect(["operatorClasses.a.tokens.input", "overall.goodput.goals.ttft.share", "overall.throughput.submittedJobsPerS", "structure.hhi.nodes", "settlement.losses.x.msat", "settlement.losses.x.jobs", "welfare.losses.price", "asks.operatorClasses.a.meanPrices.inputMsatPerMtok"].map(unit))
      .toEqual(["tokens", "share", "perS", "number", "msat", "count", "msat", "msatPerMtok"]);
    expect([formatFigure(1_500, "us"), formatFigure(0.5, "share"), formatFigure(null, "msat"), formatFigure(12.3456, "perS")]).toEqual(["1.5 ms", "50 %", "–", "12.35/s"]);
  });
});
