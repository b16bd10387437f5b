import { expect, test } from "vitest";
import { catalogueMachine, catalogueModel, UnknownNameError } from "./lookup.ts";
import { machines } from "./machines.ts";
import { models } from "./models.ts";

function caught(action: () => unknown): UnknownNameError {
  try {
    action();
  } catch (error) {
    if (error instanceof UnknownNameError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("every name of the catalogue resolves to itself", () => {
  for (const machine of machines) expect(catalogueMachine(machine.name)).toBe(machine);
  for (const model of models) {
    for (const quantisation of model.quantisations) {
      const name = `${model.name}:${quantisation.name}`;
      expect(catalogueModel(name)).toEqual({ model, quantisation, name });
    }
  }
});

test("case, spaces and hyphens do not matter; a model without a quantisation takes its first", () => {
  expect(catalogueMachine("rtx4090").name).toBe("RTX 4090");
  expect(catalogueModel("Llama-3.1-8B:Q4_K_M").name).toBe("llama-3.1-8b:q4_k_m");
  expect(catalogueModel("llama-3.1-8b").name).toBe("llama-3.1-8b:q4_k_m");
  expect(catalogueModel("gpt-oss-20b").name).toBe("gpt-oss-20b:mxfp4");
});

test("a misspelt name is answered with the near ones", () => {
  expect(caught(() => catalogueMachine("RTX 409O")).suggestions[0]).toBe("RTX 4090");
  expect(caught(() => catalogueMachine("4090")).message).toBe(`no machine "4090" in the catalogue. Did you mean "RTX 4090"? CATALOGUE.md lists all ${machines.length}.`);
  const model = caught(() => catalogueModel("lama-3.1-8b:q4_k_m"));
  expect(model.kind).toBe("model");
  expect(model.suggestions).toEqual(["llama-3.1-8b"]);
  const quantisation = caught(() => catalogueModel("llama-3.1-8b:q4_k_l"));
  expect(quantisation.kind).toBe("quantisation");
  expect(quantisation.suggestions[0]).toBe("q4_k_m");
  expect(quantisation.message).toContain("of llama-3.1-8b");
});

test("a name like no other is answered with all there are", () => {
  const error = caught(() => catalogueMachine("abacus"));
  expect(error.suggestions).toEqual([]);
  for (const machine of machines) expect(error.message).toContain(machine.name);
});
