import { Ajv2020 } from "ajv/dist/2020.js";
import { z } from "zod";
import { PROTOCOL_VERSION } from "./limits.ts";
import { nostrEvent } from "./event.ts";
import { message } from "./messages.ts";

/** A JSON Schema document, 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The JSON Schema (2020-12) of every message, derived from the zod schemas: it accepts exactly the values that
 * `parseMessage` accepts. `$defs` holds each message and each part under its own name, and `Envelope`, the Nostr event
 * that carries a message.
 */
export function messageJsonSchema(): JsonSchema {
  const derived = z.toJSONSchema(message);
  return {
    $schema: derived.$schema,
    $id: `urn:infernet:protocol:${PROTOCOL_VERSION}`,
    title: `Infernet protocol, version ${PROTOCOL_VERSION}`,
    oneOf: derived.oneOf,
    $defs: { ...derived.$defs, ...z.toJSONSchema(nostrEvent).$defs },
  };
}

/**
 * Compiles the JSON Schema with Ajv: `true` for a value that is a message.
 *
 * @param part name of a definition within the schema, such as `Heartbeat` or `Envelope`; without it, any message
 * @throws Error where there is no such definition
 */
export function compileValidator(part?: string): (value: unknown) => boolean {
  const schema = messageJsonSchema();
  const ajv = new Ajv2020({ strict: true });
  ajv.addSchema(schema);
  const validate = ajv.getSchema(part === undefined ? String(schema["$id"]) : `${String(schema["$id"])}#/$defs/${part}`);
  if (validate === undefined) throw new Error(`the protocol's JSON Schema has no definition named ${part}`);
  return (value) => validate(value) === true;
}
