import type { Measurements } from "../points.ts";

/** Tokens that llama.cpp computes in one pass where nothing else is said (`--ubatch-size`). */
const llamaCppPassTokens = 512;

/** Reads a table of batched benchmarks with the columns model, pp, tg, b, t_pp_s and t_tg_s; the measurements by model. */
export function readBatchedBench(csv: string): Map<string, Measurements> {
  const [head, ...lines] = csv.trim().split(/\r?\n/);
  const columns = head!.split(",");
  const byModel = new Map<string, { prefill: Measurements["prefill"][number][]; decode: Measurements["decode"][number][] }>();
  for (const line of lines) {
    const cells = line.split(",");
    const at = (name: string): number => {
      const value = Number(cells[columns.indexOf(name)]);
      if (!(value > 0)) throw new Error(`${line}: ${name} is not above 0`);
      return value;
    };
    const model = cells[columns.indexOf("model")]!;
    const of = byModel.get(model) ?? { prefill: [], decode: [] };
    byModel.set(model, of);
    of.prefill.push({ sequences: at("b"), tokens: at("pp"), contextTokens: 0, us: at("t_pp_s") * 1e6 });
    of.decode.push({ batch: at("b"), contextTokens: at("pp"), steps: at("tg"), usPerStep: at("t_tg_s") * 1e6 / at("tg") });
  }
  return new Map([...byModel].map(([model, points]) => [model, { ...points, passTokens: llamaCppPassTokens }]));
}
