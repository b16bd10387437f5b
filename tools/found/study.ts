import { readFileSync } from "node:fs";
import type { JobRow, RunReport } from "../../protocol/result.ts";
import { runScenario } from "../../sim/experiment/run.ts";
import { loadScenario } from "../../sim/scenario/load.ts";

/** One run of a study. */
export interface Arm {
  /** As after `--set`. */
  readonly sets?: readonly string[];
  readonly seed?: number;
}

/** An arm that was played. */
export interface Played {
  readonly report: RunReport;
  /** Rows of all jobs; empty where the study asks for none. */
  readonly rows: readonly JobRow[];
}

/** What a scenario's description says was found, as a function of the runs that it was found in. */
export interface Study {
  readonly scenario: string;
  /** Played with every test; the others by `npm run found`. */
  readonly quick?: true;
  /** Whether rows of jobs are wanted. */
  readonly rows?: true;
  readonly arms: Readonly<Record<string, Arm>>;
  /** Phrases that the description must have, word by word; line breaks and indentation do not count. */
  says(of: (arm: string) => Played): readonly string[];
}

/** Plays a study's arms one after the other. @returns phrases that the description lacks. */
export function missingFrom({ scenario: name, rows: wantsRows, arms, says }: Study): string[] {
  const source = readFileSync(new URL(`../../scenarios/${name}.yaml`, import.meta.url));
  const played = new Map(Object.entries(arms).map(([arm, { sets = [], seed }]) => {
    const { scenario } = loadScenario(source, `${name}.yaml`, { sets });
    const rows: JobRow[] = [];
    const report = runScenario(scenario, { seed: seed ?? scenario.seed, ...(wantsRows === true ? { onJobRow: (row) => { rows.push({ ...row }); } } : {}) });
    return [arm, { report, rows }] as const;
  }));
  const text = collapsed(loadScenario(source, `${name}.yaml`).scenario.description);
  return says((arm) => played.get(arm)!).filter((phrase) => !text.includes(collapsed(phrase)));
}

function collapsed(text: string): string {
  return text.replace(/\s+/g, " ");
}
