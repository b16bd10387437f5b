import { expect, test } from "vitest";
import { profileJsonSchema } from "./profile.ts";

test("profile.schema.json is the schema derived from the code; `npx vitest run protocol/profile -u` rewrites it", async () => {
  await expect(`${JSON.stringify(profileJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("./profile.schema.json");
});
