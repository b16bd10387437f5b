import type { WorkSheet } from "../../world/node-kit.ts";
import type { WelfareSetup } from "./setup.ts";

/** Nodes alike in speed, costs and whom they may serve count as one; so do client classes whom the same nodes may serve. */
export interface Groups {
  /** Group of each node. */
  readonly ofNode: Int32Array;
  /** A node of each group. */
  readonly member: readonly number[];
  readonly sizes: readonly number[];
  readonly work: readonly WorkSheet[];
  /** Segment of each client class. */
  readonly ofClass: Uint16Array;
  /** Groups that may serve each segment. */
  readonly eligible: readonly (readonly number[])[];
  /** The node time in whose units jobs are measured. */
  readonly reference: WorkSheet;
}

export function groupsOf({ clientClasses, nodes }: WelfareSetup): Groups {
  const segments = new Map<string, number>();
  const ofClass = Uint16Array.from(clientClasses, ({ nodes: eligible }) => numberOf(segments, eligible.join(" ")));
  const serves = nodes.map((): string[] => []);
  for (const [members, segment] of segments) if (members !== "") for (const node of members.split(" ")) serves[Number(node)]!.push(String(segment));
  const groups = new Map<string, number>();
  const ofNode = Int32Array.from(nodes, ({ work, costKey }, node) =>
    numberOf(groups, `${work.fixedUs} ${work.inputUs} ${work.outputUs}|${serves[node]!.join(" ")}|${costKey}`));
  const member = Array.from(groups, (_, group) => ofNode.indexOf(group));
  const eligible = Array.from(segments, (_, segment) => member.flatMap((node, group) => (serves[node]!.includes(String(segment)) ? [group] : [])));
  const sizes = member.map(() => 0);
  for (const group of ofNode) sizes[group]!++;
  const work = member.map((node) => nodes[node]!.work);
  const reference = work.find(({ fixedUs, inputUs, outputUs }) => fixedUs + inputUs + outputUs > 0) ?? { fixedUs: 1, inputUs: 0, outputUs: 0 };
  return { ofNode, member, sizes, work, ofClass, eligible, reference };
}

function numberOf(numbers: Map<string, number>, key: string): number {
  let number = numbers.get(key);
  if (number === undefined) numbers.set(key, (number = numbers.size));
  return number;
}

/** Node time of a job, or of many together; above 0. */
export function timeOf({ fixedUs, inputUs, outputUs }: WorkSheet, jobs: number, inputTokens: number, outputTokens: number): number {
  return Math.max(1e-6 * jobs, fixedUs * jobs + inputUs * inputTokens + outputUs * outputTokens);
}
