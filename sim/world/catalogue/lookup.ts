import { distance } from "fastest-levenshtein";
import { machines } from "./machines.ts";
import { models } from "./models.ts";
import type { CatalogueMachine, CatalogueModel, Quantisation } from "./types.ts";

/** A name that the catalogue does not have; the message says what is near it, or else what there is. */
export class UnknownNameError extends Error {
  readonly kind: "machine" | "model" | "quantisation";
  readonly found: string;
  /** Near names, nearest first; may be empty. */
  readonly suggestions: readonly string[];

  constructor(kind: "machine" | "model" | "quantisation", found: string, allowed: readonly string[], of = "") {
    const suggestions = near(found, allowed);
    const [first, ...others] = suggestions;
    const hint = first === undefined
      ? ""
      : ` Did you mean "${first}"${others.map((name) => `, or "${name}"`).join("")}?`;
    const known = first === undefined ? ` Known: ${allowed.join(", ")}.` : ` CATALOGUE.md lists all ${allowed.length}.`;
    super(`no ${kind} "${found}"${of === "" ? "" : ` of ${of}`} in the catalogue.${hint}${known}`);
    this.name = "UnknownNameError";
    this.kind = kind;
    this.found = found;
    this.suggestions = suggestions;
  }
}

/** Spellings that count as the same: case, spaces, hyphens and underscores do not matter. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, "");
}

/** At most three names within a third of the length in edits, or that contain what was typed; nearest first, none much farther. */
function near(found: string, allowed: readonly string[]): string[] {
  const typed = plain(found);
  const ranked = allowed
    .map((name, index) => {
      const candidate = plain(name);
      const edits = distance(typed, candidate);
      return { name, index, edits: typed !== "" && candidate.includes(typed) ? Math.min(edits, 1) : edits };
    })
    .filter(({ edits }) => edits <= Math.max(2, Math.floor(typed.length / 3)))
    .sort((a, b) => a.edits - b.edits || a.index - b.index);
  return ranked.filter(({ edits }) => edits <= (ranked[0]?.edits ?? 0) + 1).slice(0, 3).map(({ name }) => name);
}

function find<T extends { readonly name: string }>(name: string, among: readonly T[]): T | undefined {
  return among.find((entry) => plain(entry.name) === plain(name));
}

/**
 * The machine of that name; case, spaces and hyphens do not matter.
 * @throws UnknownNameError
 */
export function catalogueMachine(name: string): CatalogueMachine {
  const machine = find(name, machines);
  if (machine === undefined) throw new UnknownNameError("machine", name, machines.map((entry) => entry.name));
  return machine;
}

/** A model with the precision its weights are stored in. */
export interface ResolvedModel {
  readonly model: CatalogueModel;
  readonly quantisation: Quantisation;
  /** Canonical, `model:quantisation`. */
  readonly name: string;
}

/**
 * The model and quantisation that a name such as `llama-3.1-8b:q4_k_m` means; without a quantisation, the model's first.
 * @throws UnknownNameError
 */
export function catalogueModel(name: string): ResolvedModel {
  const colon = name.indexOf(":");
  const modelPart = colon < 0 ? name : name.slice(0, colon);
  const model = find(modelPart, models);
  if (model === undefined) throw new UnknownNameError("model", modelPart, models.map((entry) => entry.name));
  const quantisationPart = colon < 0 ? (model.quantisations[0] as Quantisation).name : name.slice(colon + 1);
  const quantisation = find(quantisationPart, model.quantisations);
  if (quantisation === undefined) {
    throw new UnknownNameError("quantisation", quantisationPart, model.quantisations.map((entry) => entry.name), model.name);
  }
  return { model, quantisation, name: `${model.name}:${quantisation.name}` };
}
