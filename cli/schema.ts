import type { Command } from "commander";
import { scenarioJsonSchema } from "../sim/scenario/json-schema.ts";

/** Adds `schema`. */
export const registerSchema = (program: Command): void => {
  program
    .command("schema")
    .description("Prints the JSON Schema of scenarios, for editors and other programs.")
    .addHelpText("after", `
Example:
  $ infernet schema > scenario.schema.json

Editors with a YAML language server complete and check a scenario whose first line is
  # yaml-language-server: $schema=./scenario.schema.json
`)
    .action(() => {
      process.stdout.write(scenarioSchemaText());
    });
};

/** The schema as it is printed and committed. */
export const scenarioSchemaText = (): string => `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`;
