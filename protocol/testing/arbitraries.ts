import fc from "fast-check";

/** JSON Schema, as far as the protocol's own goes. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** Values that a JSON Schema accepts, made from nothing but the schema. */
export function valuesOf(document: unknown, part?: string): fc.Arbitrary<unknown> {
  const root = document as Schema;
  return arbitrary(part === undefined ? root : root.$defs![part]!, root);
}

function arbitrary(schema: Schema, root: Schema): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    const { $ref, ...own } = schema;
    return arbitrary({ ...root.$defs![$ref.slice("#/$defs/".length)]!, ...own }, root);
  }
  if (schema.oneOf !== undefined) return fc.oneof(...schema.oneOf.map((option) => arbitrary(option, root)));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.oneof(fc.maxSafeInteger().map((n) => clamp(n, schema)), fc.constantFrom(schema.minimum!, schema.maximum!), fc.integer({ min: schema.minimum!, max: Math.min(schema.maximum!, schema.minimum! + 100) }));
    case "number":
      return fc.double({ min: schema.exclusiveMinimum!, minExcluded: true, max: schema.maximum!, noNaN: true });
    case "string":
      return strings(schema);
    case "array":
      return fc.array(arbitrary(schema.items!, root), { minLength: schema.minItems ?? 0, maxLength: Math.min(schema.maxItems!, 3) });
    case "object": {
      const properties = Object.fromEntries(Object.entries(schema.properties!).map(([key, member]) => [key, arbitrary(member, root)]));
      return fc.record(properties, { requiredKeys: [...schema.required ?? []], noNullPrototype: true });
    }
    default:
      throw new Error(`no values for ${JSON.stringify(schema)}`);
  }
}

function clamp(n: number, schema: Schema): number {
  return Math.min(schema.maximum!, Math.max(schema.minimum!, n));
}

function strings(schema: Schema): fc.Arbitrary<string> {
  const { pattern, maxLength } = schema;
  if (maxLength === undefined) return fc.stringMatching(new RegExp(pattern!));
  // Text is bounded by length and by what it must not hold; both bounds are tried with characters of one and two units.
  const allowed = new RegExp(pattern!, "u");
  const short = fc.string({ unit: "binary", maxLength: Math.min(maxLength, 20) }).map((value) => [...value].filter((character) => allowed.test(character)).join(""));
  return maxLength > 10_000 ? short : fc.oneof(short, fc.constantFrom("x", "é", "😀").map((character) => character.repeat(maxLength)));
}

/** A value that is easy to get wrong somewhere: what JSON can and cannot carry, near a bound and far from it. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined, null, true, "", "0", "1", 0, -0, 1, -1, 0.5, Number.NaN, Infinity, -Infinity, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 2 ** 31, 65_536, 65_537,
    1e9, 1e9 + 1, 5e-324, 1e308, 10n, Symbol("odd"), () => 1, [], [undefined], {}, "\ud800", "a\udc00b", "\u0000", "\u007f", "line\nbreak", "\u2028",
  ),
  // Lengths around the bounds, in characters of one UTF-16 unit and of two, and with a lone surrogate among them.
  fc.tuple(fc.constantFrom("x", "é", "\u0301", "😀", "\ud83d"), fc.constantFrom(63, 64, 65, 127, 128, 129, 255, 256, 257, 999, 1_000, 1_001)).map(([character, length]) => character.repeat(length)),
  fc.constantFrom("a".repeat(64), "A".repeat(64), `${"a".repeat(64)}\n`, "f".repeat(128), "a/b:c", "ü", "job 1"),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.anything({ withBigInt: true, withBoxedValues: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true, withSet: true, withSparseArray: true, withTypedArray: true, withUnicodeString: true, maxDepth: 2 }),
);

/** One place changed in `value`: a member replaced, removed, renamed or added, an element replaced, repeated or removed. */
export function nearMiss(value: unknown): fc.Arbitrary<unknown> {
  const paths = pathsOf(value, []);
  return fc.tuple(fc.constantFrom(...paths), fc.constantFrom("replace", "remove", "add", "prototype", "repeat"), oddValue, fc.constantFrom("extra", "Type", "__proto__", "constructor", "toString", "jobID", "")).map(
    ([path, how, odd, key]) => changed(value, path, how, odd, key),
  );
}

function pathsOf(value: unknown, at: readonly (string | number)[]): (readonly (string | number)[])[] {
  const paths: (readonly (string | number)[])[] = [at];
  if (Array.isArray(value)) value.forEach((member: unknown, index) => paths.push(...pathsOf(member, [...at, index])));
  else if (typeof value === "object" && value !== null) for (const [key, member] of Object.entries(value)) paths.push(...pathsOf(member, [...at, key]));
  return paths;
}

function changed(value: unknown, path: readonly (string | number)[], how: string, odd: unknown, key: string): unknown {
  const [step, ...rest] = path;
  if (step !== undefined) {
    if (rest.length === 0 && how === "remove") return without(value, step);
    if (Array.isArray(value)) return value.map((member: unknown, index) => (index === step ? changed(member, rest, how, odd, key) : member));
    return Object.fromEntries(Object.entries(value as object).map(([name, member]: [string, unknown]) => [name, name === step ? changed(member, rest, how, odd, key) : member]));
  }
  if (Array.isArray(value)) return how === "repeat" ? [...value, ...value, ...value] : how === "add" ? [...value as unknown[], odd] : odd;
  if (typeof value !== "object" || value === null || how === "replace") return odd;
  // `Object.fromEntries` makes an own member even of `__proto__`, as JSON.parse does.
  if (how === "add") return Object.fromEntries([...Object.entries(value), [key, odd]]);
  if (how === "prototype") return Object.assign(Object.create(typeof odd === "object" ? odd : { extra: odd }) as object, value);
  return odd;
}

function without(value: unknown, step: string | number): unknown {
  if (Array.isArray(value)) return value.filter((_, index) => index !== step);
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== step));
}
