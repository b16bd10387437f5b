/** `npm run found [NAME...]`: plays what scenarios say they found, and lists the phrases that are not so any more. */
import { STUDIES } from "./studies.ts";
import { missingFrom } from "./study.ts";
import { missingFromProfit } from "./what-decides-profit.ts";

const names = process.argv.slice(2);
let wrong = 0;
const all = [...STUDIES.map((study) => ({ name: study.scenario, missingOf: () => missingFrom(study) })), { name: "what-decides-profit", missingOf: missingFromProfit }];
for (const { name, missingOf } of all) {
  if (names.length > 0 && !names.includes(name)) continue;
  const missing = missingOf();
  wrong += missing.length;
  console.log(`${name}: ${missing.length === 0 ? "as it says" : `the runs say\n${missing.map((phrase) => `  ${phrase}`).join("\n")}`}`);
}
process.exitCode = wrong === 0 ? 0 : 1;
