/** `npm run found [NAME...]`: plays what scenarios say they found, and lists the phrases that are not so any more. */
import { STUDIES } from "./studies.ts";
import { missingFrom } from "./study.ts";

const names = process.argv.slice(2);
let wrong = 0;
for (const study of STUDIES) {
  if (names.length > 0 && !names.includes(study.scenario)) continue;
  const missing = missingFrom(study);
  wrong += missing.length;
  console.log(`${study.scenario}: ${missing.length === 0 ? "as it says" : `the runs say\n${missing.map((phrase) => `  ${phrase}`).join("\n")}`}`);
}
process.exitCode = wrong === 0 ? 0 : 1;
