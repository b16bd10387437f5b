import type { PlacedTask } from "../job.ts";
import type { WireOutcome } from "../wire.ts";

/** A scenario as it lies in Redis. */
export interface SubjectPacket {
  readonly source: string;
  readonly fileName: string;
  readonly sets: readonly string[];
  /** Files that it names, and the hash under which each lies there. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** A job as it lies in the queue. */
export interface JobPacket {
  readonly session: string;
  readonly subject: string;
  readonly items: readonly PlacedTask[];
}

/** What a worker answers. */
export type AnswerPacket =
  | {
    readonly kind: "played";
    /** Names of figures, as in {@link WireOutcome}: the same for most runs, so once. */
    readonly names: readonly string[];
    readonly results: readonly { readonly names: number; readonly values: string | null; readonly digest: string | null; readonly error: string | null }[];
    readonly ms: number;
  }
  /** A thread ended under the job. */
  | { readonly kind: "died"; readonly reason: string }
  /** Nobody waits for it any more. */
  | { readonly kind: "dropped" };

/** Packs what a job came to. */
export function packed(results: readonly WireOutcome[], ms: number): AnswerPacket {
  const names: string[] = [];
  const rows = results.map(({ names: own, values, digest, error }) => {
    if (own !== null && names.at(-1) !== own) names.push(own);
    return { names: own === null ? -1 : names.length - 1, values, digest, error };
  });
  return { kind: "played", names, results: rows, ms };
}

/** The other way. */
export function unpacked({ names, results }: Extract<AnswerPacket, { kind: "played" }>): WireOutcome[] {
  return results.map(({ names: at, ...rest }) => ({ names: at < 0 ? null : names[at]!, ...rest }));
}
