/** Reads scenarios as JSON from standard input and writes the digests of their results: a process of its own for the tests of determinism. */
import { readFileSync, writeSync } from "node:fs";
import { runScenario } from "../../experiment/run.ts";
import type { Scenario } from "../../scenario/scenario.ts";

const scenarios = JSON.parse(readFileSync(0, "utf8")) as Scenario[];
writeSync(1, JSON.stringify(scenarios.map((scenario) => runScenario(scenario).provenance.resultsDigest)));
