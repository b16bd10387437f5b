import { Document } from "yaml";
import { z } from "zod";
import type { PathPart } from "../../input/path-part.ts";

/** Changes of the market as a scenario names them, such as `{pricing: call-for-bids, router.policy: cheapest}`: paths as `--set` takes them, values as they would stand there. */
export const changes = z.record(z.string().min(1).max(256), z.unknown());
export type ChangesInput = z.output<typeof changes>;

/** One change that a scenario's experiments make to its market. */
export interface Change {
  /** As `--set` takes it: `router.policy`, `operators.rtx3090.count`. */
  readonly path: string;
  /** What YAML makes of it. */
  readonly value: unknown;
  /** Where in the scenario file the value stands, for messages: `["arms", "auction", "router.policy"]`. */
  readonly at: readonly PathPart[];
}

/** Changes that are made together, in order. */
export type Variation = readonly Change[];

/** @param at where in the scenario file the changes stand, such as `["arms", "auction"]`. */
export function variationOf(input: ChangesInput, at: readonly PathPart[]): Variation {
  return Object.entries(input).map(([path, value]) => ({ path, value, at: [...at, path] }));
}

/** A change as `--set` takes it: `path=value`, the value in YAML on one line, which reads back as what it was. */
export function setText({ path, value }: Pick<Change, "path" | "value">): string {
  // A line break or a comma's space is nothing that a plain scalar keeps in every place: the library quotes where it must.
  const text = new Document(value, { version: "1.2", aliasDuplicateObjects: false }).toString({ collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0, blockQuote: false });
  return `${path}=${text.trimEnd()}`;
}

/** The changes of a run: what a `RunTask`'s `sets` are. */
export function setsOf(variation: Variation): string[] {
  return variation.map(setText);
}
