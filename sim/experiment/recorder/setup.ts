import type { AsksReport } from "../../../protocol/result/asks.ts";
import type { SettlementReport } from "../../../protocol/result/settlement.ts";
import type { WarmupFinding } from "../../../protocol/result/precision.ts";
import type { SupplyBook } from "../../supply/book.ts";
import type { AddTotal } from "./marks.ts";
import type { PricingTally } from "../pricing-tally.ts";
import type { Welfare } from "../welfare/accounts.ts";
import type { SupplyEnd } from "./supply.ts";
import type { JobRow, LawCheck, Money, Provenance } from "../../../protocol/result.ts";

export interface RecordedClientClass {
  readonly name: string;
  /** Absent: no such goal. Microseconds. */
  readonly goals: { readonly ttftUs?: number | undefined; readonly tpotUs?: number | undefined; readonly endToEndUs?: number | undefined };
}

export interface RecordedNode {
  readonly name: string;
  /** Index into `operatorClasses`. */
  readonly operatorClass: number;
  readonly region: string;
  readonly machine: string;
  readonly model: string;
  readonly slots: number;
  readonly kvTokensMax: number;
  /** Posted at the start; null where there is no single price. */
  readonly inputMsatPerMtok: number | null;
  readonly outputMsatPerMtok: number | null;
  /** Electrical power, watts to the milliwatt, `loadWatts` at least `idleWatts`; absent or null where it is not known. */
  readonly power?: { readonly idleWatts: number; readonly loadWatts: number } | null;
  /** Whether it is up from the start (where absent), or will be. */
  readonly present?: boolean;
  /** Whole msat; absent or null where it is not known. */
  readonly electricityMsatPerKwh?: number | null;
}

/** What the recorder has to know before the first fact. Classes and nodes are referred to by their index from then on. */
export interface RecorderSetup {
  readonly seed: number | string;
  readonly world?: "simulated" | "live";
  /** Arrivals stop here; the measured interval is [warmupUs, horizonUs). Integer microseconds, above warmupUs. */
  readonly horizonUs: number;
  readonly warmupUs: number;
  readonly clientClasses: readonly RecordedClientClass[];
  readonly operatorClasses: readonly { readonly name: string }[];
  /** Every node that the run will ever have, in the report's order. */
  readonly nodes: readonly RecordedNode[];
  /** Keeps the welfare accounts; absent: nobody does, and the report has none. */
  readonly welfare?: Welfare | undefined;
  /** Keeps the operators' accounts; absent: nobody does, and the report has none. */
  readonly supply?: SupplyBook | undefined;
  /** The id of the job in a slot; asked for only when a row is wanted or a law is broken, while the job holds the slot. */
  readonly jobName?: (slot: number) => string;
  /** How the warm-up was found; absent: it was stated. */
  readonly warmup?: WarmupFinding | undefined;
  /** False: nobody asks how well this run alone knows its figures, as in an experiment of many runs. */
  readonly intervals?: boolean | undefined;
  /** What the run has come to by now of what others count; asked at every mark. */
  readonly totals?: ((nowUs: number, add: AddTotal) => void) | undefined;
  /** Called once for every job, when it ends or the run stops. The row is reused: copy what you keep. */
  readonly onJobRow?: (row: JobRow) => void;
}

/** What only the caller knows at the end of a run. */
export interface RunEnd {
  readonly provenance: Omit<Provenance, "resultsDigest">;
  /** Absent or null: no wallets took part. */
  readonly money?: Omit<Money, "openingMsat" | "closingMsat"> | null;
  /** How prices came about; absent: nobody kept account of it. */
  readonly pricing?: PricingTally | null | undefined;
  /** Absent or null: no wallets took part. */
  readonly settlement?: SettlementReport | null;
  /** What nodes asked over time; absent where prices never moved. */
  readonly asks?: AsksReport | null;
  /** What the driver of supply knows, where there is one. */
  readonly supply?: SupplyEnd | undefined;
  /** Laws that others checked in this run, to be listed with the recorder's own. */
  readonly laws?: readonly LawCheck[];
}
