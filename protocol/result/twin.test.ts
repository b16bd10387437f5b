import { expect, test } from "vitest";
import { twinJsonSchema } from "./twin.ts";

test("twin.schema.json is the schema derived from the code; `npx vitest run protocol/result/twin -u` rewrites it", async () => {
  await expect(`${JSON.stringify(twinJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("../twin.schema.json");
});
