import type { WelfareAccounts } from "../welfare/accounts.ts";
import type { ClientTally } from "./client-tally.ts";
import type { WindowCount } from "./columns.ts";
import type { Marks } from "./marks.ts";
import type { NodeTable } from "./node-table.ts";
import type { Served } from "./served.ts";
import type { RecorderSetup, RunEnd } from "./setup.ts";
import type { Levels } from "./windows.ts";

/** All that the recorder has gathered by the end of a run. */
export interface Gathered {
  readonly setup: RecorderSetup;
  readonly end: RunEnd;
  readonly endUs: number;
  readonly levels: Levels;
  readonly nodes: NodeTable;
  readonly clients: readonly ClientTally[];
  /** Row by client class, column by operator class. */
  readonly served: readonly (Served | undefined)[];
  readonly counts: Readonly<Record<WindowCount, Float64Array>>;
  /** -1 where no job completed. */
  readonly ttftP50Us: Float64Array;
  readonly ttftP95Us: Float64Array;
  readonly rows: number;
  readonly rowsDigest: string;
  readonly little: { readonly jobUs: bigint; readonly sojournUs: number; readonly ended: number };
  /** Null where nobody kept the welfare accounts. */
  readonly accounts: WelfareAccounts | null;
  /** Null where nobody asks for intervals. */
  readonly marks: Marks | null;
  /** What every node had earned at each mark, msat. */
  readonly earned: readonly Float64Array[];
  readonly checks: { readonly ended: number; readonly causality: number; readonly metering: number };
}
