import { expect, test } from "vitest";
import { sweepJsonSchema } from "./sweep.ts";

test("sweep.schema.json is the schema derived from the code; `npx vitest run protocol/result/sweep -u` rewrites it", async () => {
  await expect(`${JSON.stringify(sweepJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../sweep.schema.json");
});
