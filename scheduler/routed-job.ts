import type { JobRequest } from "../protocol/messages.ts";
import { NO_TIMER, type TimerId } from "./environment.ts";

/** Stands for a node that is not there. */
export const NO_NODE = -1;

/** A job in a router's hands: at a node, or waiting for one. */
export interface RoutedJob {
  readonly request: JobRequest;
  readonly prompt: string | undefined;
  /** Attempts made so far; while at a node, the number of the present one. */
  attempt: number;
  /** Registry index of the node that has it; NO_NODE while it waits. */
  node: number;
  /** Whether that node has accepted it. */
  accepted: boolean;
  /** Registry indexes of the nodes whose attempt came to nothing, in the order of attempts. */
  readonly tried: number[];
  /** Accept timeout, then job timeout; or the longest wait in the queue. */
  timer: TimerId;
}

/** A job that has just come in. */
export function newJob(request: JobRequest, prompt: string | undefined): RoutedJob {
  return { request, prompt, attempt: 0, node: NO_NODE, accepted: false, tried: [], timer: NO_TIMER };
}

/** Number of the attempt that went to this node; 0 where none did. A node is tried once. */
export function attemptAt(job: RoutedJob, n: number): number {
  return job.node === n ? job.attempt : job.tried.indexOf(n) + 1;
}
