/** A model file is not what llama.cpp takes, or one cannot be made: in words for whoever named it. */
export class GgufError extends Error {
  override readonly name = "UserError";
}
