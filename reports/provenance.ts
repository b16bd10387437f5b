import type { Section } from "./blocks.ts";

/** A report, as far as it says where it comes from. */
export interface Provenanced {
  readonly schema: string;
  readonly schemaVersion: string;
  readonly provenance: {
    readonly lab: { readonly name: string; readonly version: string };
    readonly scenario: { readonly name: string; readonly hash: string };
    readonly seed: number | string;
    readonly sets: readonly string[];
    readonly resultsDigest: string;
  };
}

/** The section that says how to get the same report again. @param words for what goes by another name here */
export function provenanceSection({ schema, schemaVersion, provenance: { lab, scenario, seed, sets, resultsDigest } }: Provenanced, words: { readonly hash?: string; readonly seed?: string } = {}): Section<never> {
  return {
    title: "Provenance",
    blocks: [{
      kind: "table", caption: "How to get the same again", head: ["", ""],
      rows: [
        ["made by", `${lab.name} ${lab.version}`], ["scenario", scenario.name], [words.hash ?? "hash of the scenario", scenario.hash], [words.seed ?? "seed", String(seed)],
        ["changes", sets.length === 0 ? "none" : sets.join(", ")], ["results digest", resultsDigest], ["schema", `${schema} ${schemaVersion}`],
      ],
    }],
  };
}
