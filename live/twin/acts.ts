import type { PlannedJob } from "../../sim/world/planned-jobs.ts";
import type { Submission } from "./part.ts";

/** A part of the play without an intermission. */
export interface Act {
  /** In the market's time, µs. */
  readonly fromUs: number;
  readonly untilUs: number;
  /** How many jobs come before it. */
  readonly first: number;
  /** Their times count from `fromUs`. */
  readonly jobs: readonly Submission[];
}

/** Divides a workload at the intermissions that lie within its horizon. @param jobs in order of time */
export function actsOf(horizonUs: number, intermissionsUs: readonly number[], jobs: readonly PlannedJob[]): Act[] {
  const beginsUs = [0, ...intermissionsUs.filter((atUs) => atUs < horizonUs)];
  let first = 0;
  return beginsUs.map((fromUs, act) => {
    const untilUs = beginsUs[act + 1] ?? Infinity;
    const own = jobs.filter(({ atUs }) => atUs >= fromUs && atUs < untilUs).map(({ atUs, client, request }) => ({ atUs: atUs - fromUs, client, request }));
    first += own.length;
    return { fromUs, untilUs: Math.min(untilUs, horizonUs), first: first - own.length, jobs: own };
  });
}

/** Which of so many rounds of measuring, from 0, belong to each part: as evenly as can be, and at least one to the last part. */
export function roundsOfParts(rounds: number, parts: number): number[][] {
  const from = (part: number): number => Math.floor((part * rounds) / parts);
  return Array.from({ length: parts }, (_, part) => Array.from({ length: from(part + 1) - from(part) }, (_, i) => from(part) + i));
}
