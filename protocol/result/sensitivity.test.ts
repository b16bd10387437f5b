import { expect, test } from "vitest";
import { sensitivityJsonSchema } from "./sensitivity.ts";

test("sensitivity.schema.json is the schema derived from the code; `npx vitest run protocol/result -u` rewrites it", async () => {
  await expect(`${JSON.stringify(sensitivityJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../sensitivity.schema.json");
});
