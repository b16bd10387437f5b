import { expect, test } from "vitest";
import { reportJsonSchema } from "./result.ts";

test("the published JSON Schema is the one that the zod schema gives (npx vitest run protocol/result -u writes it)", async () => {
  await expect(`${JSON.stringify(reportJsonSchema(), null, 2)}\n`).toMatchFileSnapshot("./report.schema.json");
});
