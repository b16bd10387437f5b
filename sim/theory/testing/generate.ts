import { writeFileSync } from "node:fs";
import { judge } from "./judge.ts";
import { page, pageFile, section } from "./page.ts";
import { seedOf, suite } from "./suite.ts";

writeFileSync(pageFile, page(suite.map((theoryCase) => section(judge(theoryCase, seedOf(theoryCase))))));
