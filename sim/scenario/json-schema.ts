import { z } from "zod";
import { SchemaGuide } from "../../input/guide.ts";
import type { JsonSchema } from "../../input/guide.ts";
import { scenarioSchema } from "./schema.ts";

let generated: JsonSchema | null = null;
let guide: SchemaGuide | null = null;

/** The JSON Schema (draft 7) of scenarios as they are written, for editors and for other programs. */
export function scenarioJsonSchema(): JsonSchema {
  generated ??= {
    ...z.toJSONSchema(scenarioSchema, { io: "input", target: "draft-7" }) as JsonSchema,
    title: "Infernet Lab scenario",
    description: "A market of LLM inference to be simulated: who serves, who asks, and how they are matched.",
  };
  return generated;
}

/** What the scenario schema allows at each place. */
export function scenarioGuide(): SchemaGuide {
  guide ??= new SchemaGuide(scenarioJsonSchema());
  return guide;
}
