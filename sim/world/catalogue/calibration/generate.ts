import { writeFileSync } from "node:fs";
import { cataloguePage } from "../page.ts";
import { dataFolder, haveData, readData } from "./data.ts";
import { errorPage } from "./error-page.ts";

writeFileSync(new URL("../CATALOGUE.md", import.meta.url), cataloguePage());
if (haveData) writeFileSync(new URL("../ERROR.md", import.meta.url), errorPage(readData()));
else console.warn(`ERROR.md left as it is: no measurements in ${dataFolder.pathname}`);
