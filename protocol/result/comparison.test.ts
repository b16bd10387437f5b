import { expect, test } from "vitest";
import { comparisonJsonSchema } from "./comparison.ts";

test("comparison.schema.json is the schema derived from the code; `npx vitest run protocol/result -u` rewrites it", async () => {
  await expect(`${JSON.stringify(comparisonJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../comparison.schema.json");
});
