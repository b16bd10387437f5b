import { expect, test } from "vitest";
import { equilibriumJsonSchema } from "./equilibrium.ts";
import { searchJsonSchema } from "./search.ts";

test("search.schema.json is the schema derived from the code; `npx vitest run protocol/result -u` rewrites it", async () => {
  await expect(`${JSON.stringify(searchJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../search.schema.json");
});

test("equilibrium.schema.json is the schema derived from the code; `npx vitest run protocol/result -u` rewrites it", async () => {
  await expect(`${JSON.stringify(equilibriumJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../equilibrium.schema.json");
});
