import type { PathPart } from "./path-part.ts";
import { alternatives } from "./units.ts";

/** The part of JSON Schema that our files' schemas use. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly allOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema | readonly JsonSchema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly pattern?: string;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
}

/** Tells what a schema allows at each place of a file. */
export class SchemaGuide {
  readonly #root: JsonSchema;

  /** @param root the schema of a whole file; its references lead to its own `definitions`. */
  constructor(root: JsonSchema) {
    this.#root = root;
  }

  /** What the schema allows at this path; empty where it knows no such path. */
  at(path: readonly PathPart[]): JsonSchema[] {
    let options = this.#alternatives(this.#root);
    for (const part of path) options = this.below(options, part);
    return options;
  }

  /** What the schema allows below a place. */
  below(options: readonly JsonSchema[], part: PathPart): JsonSchema[] {
    return options.flatMap((option) => {
      if (typeof part === "number") {
        const items = option.items;
        if (items === undefined) return [];
        const item = Array.isArray(items) ? (items as readonly JsonSchema[])[part] : items as JsonSchema;
        return item === undefined ? [] : this.#alternatives(item);
      }
      const property = option.properties?.[part];
      if (property !== undefined) return this.#alternatives(property);
      return typeof option.additionalProperties === "object" ? this.#alternatives(option.additionalProperties) : [];
    });
  }

  /** References followed, alternatives laid side by side. */
  #alternatives(schema: JsonSchema): JsonSchema[] {
    if (schema.$ref !== undefined) {
      const target = this.#root.definitions?.[schema.$ref.replace("#/definitions/", "")];
      return target === undefined ? [] : this.#alternatives(target);
    }
    if (schema.allOf !== undefined) return schema.allOf.flatMap((part) => this.#alternatives(part));
    // A quantity is one thing, whichever way it is spelt.
    if (schema.anyOf !== undefined && schema.title === undefined) return schema.anyOf.flatMap((part) => this.#alternatives(part));
    return [schema];
  }
}

/** The names among which a choice like `{poisson: {...}}` is made; empty where there is no such choice. */
export function tagsOf(options: readonly JsonSchema[]): string[] {
  const maps = options.filter((option) => option.properties !== undefined);
  if (maps.length < 2) return [];
  const keys = maps.map((map) => Object.keys(map.properties!));
  return keys.every((names, i) => names.length === 1 && maps[i]!.required?.length === 1) ? keys.flat() : [];
}

/** All keys that a map may have there. */
export function keysOf(options: readonly JsonSchema[]): string[] {
  return [...new Set(options.flatMap((option) => Object.keys(option.properties ?? {})))];
}

/** All words that may stand there. */
export function wordsOf(options: readonly JsonSchema[]): string[] {
  return options.flatMap((option) => option.title === undefined
    ? [...(option.enum ?? []), ...(option.const === undefined ? [] : [option.const])].map(String)
    : (option.anyOf ?? []).flatMap((word) => (word.enum ?? []).map(String)));
}

/** In words: what may stand there. */
export function describeSchema(options: readonly JsonSchema[]): string {
  const tags = tagsOf(options);
  const words = options.filter((option) => option.title === undefined).flatMap((option) => wordsOf([option]));
  const parts: string[] = [];
  for (const option of options) {
    if (option.title !== undefined) parts.push(option.title);
    else if (option.enum !== undefined || option.const !== undefined || (option.properties !== undefined && tags.length > 0)) continue;
    else parts.push(describeOne(option));
  }
  if (words.length > 0) parts.unshift(words.length === 1 ? words[0]! : `one of ${words.join(", ")}`);
  if (tags.length > 0) parts.push(`a map with one of the keys ${tags.join(", ")}`);
  return [...new Set(parts)].join(", or ");
}

function describeOne(schema: JsonSchema): string {
  switch (schema.type) {
    case "boolean": return "true or false";
    case "integer": return `a whole number${range(schema)}`;
    case "number": return `a number${range(schema)}`;
    case "string": return `a text${lengths(schema)}`;
    case "array": return `a list${Array.isArray(schema.items) ? ` of ${schema.items.length} values` : entries(schema)}`;
    case "object": return schema.properties === undefined ? "a map" : `a map with the keys ${alternatives(Object.keys(schema.properties)).replace(" or ", " and ")}`;
    default: return "a value";
  }
}

function entries({ minItems = 0, maxItems = Infinity }: JsonSchema): string {
  if (maxItems < Infinity) return ` of ${minItems} to ${maxItems} entries`;
  return minItems === 0 ? "" : ` of at least ${minItems}`;
}

function range(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum } = schema;
  const top = maximum === undefined || maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}${top === undefined ? "" : ` and at most ${top}`}`;
  if (minimum !== undefined && top !== undefined) return ` from ${minimum} to ${top}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return top === undefined ? "" : ` of at most ${top}`;
}

function lengths(schema: JsonSchema): string {
  if (schema.pattern !== undefined) return `${schema.description === undefined ? "" : `, ${schema.description},`} that matches ${schema.pattern}`;
  if (schema.minLength !== undefined && schema.maxLength !== undefined) return ` of ${schema.minLength} to ${schema.maxLength} letters`;
  return schema.maxLength === undefined ? "" : ` of at most ${schema.maxLength} letters`;
}
