import { loadScenario } from "./load.ts";
import type { LoadOptions } from "./load.ts";
import { nearest } from "../../input/nearest.ts";
import { formatPath, quoted } from "../../input/problem.ts";
import { ScenarioError } from "./scenario-error.ts";
import type { Problem } from "../../input/problem.ts";
import { scenarioSchema } from "./schema.ts";
import { experimentShape } from "./sections/experiment.ts";
import { SourceDocument } from "../../input/document.ts";
import { setFile } from "./sets.ts";
import type { Variation } from "./variation.ts";

/** Keys at the top of a scenario that are no part of the market. */
const notOfTheMarket: readonly string[] = ["name", "question", "description", "seed", ...Object.keys(experimentShape)];
const market = Object.keys(scenarioSchema.shape).filter((key) => !notOfTheMarket.includes(key));

/**
 * Loads a scenario in each of its variations, and once without any.
 * @throws ScenarioError with the problems of all of them, each with file, line, column, path, what was found and what is allowed.
 */
export function checkVariations(source: string | Uint8Array, fileName: string, variations: Iterable<Variation>, options: Omit<LoadOptions, "variation"> = {}): void {
  const { source: text } = loadScenario(source, fileName, options);
  const document = new SourceDocument(text, fileName);
  const problems = new Map<string, Problem>();
  for (const variation of variations) {
    const faults = [...foreign(variation, document)];
    if (faults.length === 0) faults.push(...problemsOf(text, fileName, { ...options, variation }));
    // Points of a grid share their values: one fault each.
    for (const fault of faults) problems.set(JSON.stringify(fault), fault);
  }
  if (problems.size > 0) throw new ScenarioError([...problems.values()], new Map([[fileName, text], ...(options.sets ?? []).map((set) => [setFile(set), set] as const)]));
}

function problemsOf(source: string, fileName: string, options: LoadOptions): readonly Problem[] {
  try {
    loadScenario(source, fileName, options);
    return [];
  } catch (error) {
    if (error instanceof ScenarioError) return error.problems;
    throw error;
  }
}

/** Changes of what runs of an experiment have in common. */
function foreign(variation: Variation, document: SourceDocument): Problem[] {
  return variation.flatMap(({ path, at }) => {
    const [first = ""] = path.split(/[.[=]/);
    if (!notOfTheMarket.includes(first)) return [];
    const key = at.slice(0, at.lastIndexOf(path) + 1);
    const guess = nearest(first, market);
    return [{
      file: document.file, ...position(document, key.length === 0 ? at : key), path: formatPath(at), found: `a change of ${quoted(first)}, which all runs of an experiment share`,
      allowed: `a path into the market: ${market.join(", ")}`, ...(guess === undefined ? {} : { suggestion: quoted(guess) }),
    }];
  });
}

function position(document: SourceDocument, path: Parameters<SourceDocument["locate"]>[0]): { line: number; column: number } {
  const { line, column } = document.locate(path, true);
  return { line, column };
}
