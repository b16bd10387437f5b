import { expect, test } from "vitest";
import { viabilityJsonSchema } from "./viability.ts";

test("viability.schema.json is the schema derived from the code; `npx vitest run protocol/result -u` rewrites it", async () => {
  await expect(`${JSON.stringify(viabilityJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../viability.schema.json");
});
