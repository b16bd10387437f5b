import { Argument, type Command } from "commander";
import { clientKind } from "../live/config/client.ts";
import { nodeKind } from "../live/config/node.ts";
import { configJsonSchema } from "../live/config/read.ts";
import { routerKind } from "../live/config/router.ts";
import { scenarioJsonSchema } from "../sim/scenario/json-schema.ts";

const schemas = {
  scenario: scenarioJsonSchema,
  router: () => configJsonSchema(routerKind),
  node: () => configJsonSchema(nodeKind),
  client: () => configJsonSchema(clientKind),
} as const;

/** Adds `schema`. */
export const registerSchema = (program: Command): void => {
  program
    .command("schema")
    .description("Prints the JSON Schema of scenarios, or of the settings of a live router, node or client, for editors and other programs.")
    .addArgument(new Argument("[kind]", "of what").choices(Object.keys(schemas)).default("scenario"))
    .addHelpText("after", `
Examples:
  $ infernet schema > scenario.schema.json
  $ infernet schema node > node.schema.json

Editors with a YAML language server complete and check a file whose first line is
  # yaml-language-server: $schema=./scenario.schema.json
`)
    .action((kind: keyof typeof schemas) => {
      process.stdout.write(schemaText(kind));
    });
};

/** A schema as it is printed and committed. */
const schemaText = (kind: keyof typeof schemas): string => `${JSON.stringify(schemas[kind](), null, 2)}\n`;

/** The schema of scenarios as it is printed and committed. */
export const scenarioSchemaText = (): string => schemaText("scenario");
