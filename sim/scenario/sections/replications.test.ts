import { describe, expect, test } from "vitest";
import { loadScenario } from "../load.ts";
import { messageOf, soundScenario } from "../testing/sound-scenario.ts";
import type { ReplicationsSpec } from "./replications.ts";
import { readUntil } from "./replications.ts";

const source = (text: string): string => `${soundScenario}replications: ${text}\n`;
const load = (text: string): ReplicationsSpec => loadScenario(source(text), "a.yaml").experiment.replications!;
const classes = { clients: ["chat"], operators: ["gpu"] };

describe("a scenario's replications", () => {
  test("are no part of the market", () => {
    expect(loadScenario(source("20"), "a.yaml").hash).toBe(loadScenario(soundScenario, "a.yaml").hash);
    expect(loadScenario(soundScenario, "a.yaml").experiment.replications).toBeNull();
  });

  test("are a number, or go on until a figure is known", () => {
    expect(load("20")).toEqual({ count: 20, until: null });
    expect(load("{until: {metric: latency.p95@chat, halfWidth: 2 %}}")).toMatchObject({
      count: null, until: { metric: { path: "clientClasses.chat.latency.endToEndUs.p95" }, halfWidth: 0.02, confidence: 0.95, atLeast: 10, atMost: 1_000 },
    });
    expect(load("{until: {metric: overall.latency.ttftUs.sd, halfWidth: 0.1, confidence: 99 %}, atLeast: 5, atMost: 50}")).toMatchObject({ until: { metric: { unit: "us" }, halfWidth: 0.1, confidence: 0.99, atLeast: 5, atMost: 50 } });
  });

  test.each([
    ["0", "a.yaml:15:15: replications"],
    ["{until: {metric: lateny.p95, halfWidth: 2 %}}", `a.yaml:15:32: replications.until.metric: found "lateny.p95"; allowed: a metric such as latency.p95, goodput, utilisation or profit, one of a class such as latency.p95@chat or profit@rtx3060, or the path of a figure in report.json; did you mean "latency.p95"?`],
    ["{until: {metric: profit@chat, halfWidth: 2 %}}", `found "profit@chat"`],
    ["{until: {metric: goodput, halfWidth: 2 s}}", `found "2 s", a duration; allowed: a share such as 5 %, 100 bps or 0.05, above 0`],
    ["{until: {metric: goodput, halfWidth: 2 %, confidence: 100 %}}", "allowed: at most 99.9999 %"],
    ["{until: {metric: goodput, halfWidth: 2 %}, atLeast: 20, atMost: 10}", "a.yaml:15:79: replications.atMost: found 10; allowed: at least atLeast, 20"],
  ])("%s is told where it stands", (text, message) => {
    expect(messageOf(() => load(text))).toContain(message);
  });
});

describe("a rule on the command line", () => {
  const limits = { atLeast: 10, atMost: 1_000 };

  test("says the figure, how narrow, and how sure", () => {
    expect(readUntil("latency.p95 within 2 %", classes, limits)).toMatchObject({ metric: { id: "latency.p95" }, halfWidth: 0.02, confidence: 0.95, ...limits });
    expect(readUntil(" profit@gpu within 0.05 at 99 % ", classes, limits)).toMatchObject({ metric: { id: "profit@gpu" }, halfWidth: 0.05, confidence: 0.99 });
  });

  test.each([
    ["latency.p95", "found \"latency.p95\"; allowed: METRIC within SHARE"],
    ["lateny.p95 within 2 %", "did you mean \"latency.p95\"?"],
    ["latency.p95 within 2 s", "found \"2 s\"; allowed: a share of the mean above 0 and up to 100 %, such as 2 %"],
    ["latency.p95 within 0 %", "found \"0 %\""],
    ["latency.p95 within 2 % at 100 %", "found \"100 %\"; allowed: a confidence between 0 and 100 %"],
  ])("%s is no rule", (text, message) => {
    expect(readUntil(text, classes, limits)).toContain(message);
  });
});
