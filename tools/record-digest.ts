/** `npm run record-digest`: plays the quickstart and records the digest of its results. To be run, and explained, when results change on purpose. */
import { readFileSync, writeFileSync } from "node:fs";
import { runScenario } from "../sim/experiment/run.ts";
import { loadScenario } from "../sim/scenario/load.ts";

const scenario = new URL("../scenarios/quickstart.yaml", import.meta.url);
const record = new URL("../scenarios/quickstart.digest", import.meta.url);

const { provenance } = runScenario(loadScenario(readFileSync(scenario), "quickstart.yaml").scenario);
writeFileSync(record, `${provenance.resultsDigest}\n`);
console.log(provenance.resultsDigest);
