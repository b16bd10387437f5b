import type { Model, Quantisation } from "../world/catalogue/index.ts";

/** What a fit may know of a model beforehand: shares that follow from its public figures. */
export interface ModelFacts {
  /** Arithmetic of the output layer, which runs only where a token is sampled, over that of the rest for one token. */
  readonly sampleShare: number;
  /** Of a mixture of experts; null for a dense model. */
  readonly experts: {
    /** Of a layer's experts, those that one token visits. */
    readonly activeShare: number;
    /** Bytes in experts over all bytes that a pass reads which touches every expert. */
    readonly readShare: number;
  } | null;
}

/** The facts of a model of the catalogue. */
export function modelFacts(model: Model, quantisation: Quantisation): ModelFacts {
  const table = model.vocabulary * model.hiddenSize;
  const lookedUp = model.tiedEmbeddings ? 0 : table;
  const sampleShare = table / (model.activeParameters - lookedUp - table);
  if (model.experts === undefined) return { sampleShare, experts: null };
  const { parameters, active, count } = model.experts;
  const expertBytes = quantisation.expertBytes ?? quantisation.fileBytes * parameters / model.parameters;
  const otherBytes = (quantisation.fileBytes - expertBytes) * (model.parameters - parameters - lookedUp) / (model.parameters - parameters);
  return { sampleShare, experts: { activeShare: active / count, readShare: expertBytes / (expertBytes + otherBytes) } };
}
