import { expect, test } from "vitest";
import { replicationsJsonSchema } from "./replications.ts";

test("replications.schema.json is the schema derived from the code; `npx vitest run protocol/result/replications -u` rewrites it", async () => {
  await expect(`${JSON.stringify(replicationsJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../replications.schema.json");
});
