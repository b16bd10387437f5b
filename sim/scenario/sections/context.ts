import type { DistributionSpec } from "../../kernel/distributions/index.ts";
import type { Amount } from "../../supply/amount.ts";
import type { DistributionInput, QuantityInput } from "../../../input/fields.ts";
import type { PathPart } from "../../../input/path-part.ts";
import type { Finding } from "../../../input/problem.ts";
import type { Dimension } from "../../../input/units.ts";

/** Where in the scenario something stands. */
export type Path = readonly PathPart[];

/** What a section needs to bring what was written to base units. */
export interface SectionContext {
  /** In base units, fiat at the scenario's exchange rate; whole where the dimension is, unless `real`. What does not resolve is a finding, and 0. */
  number(dimension: Dimension, value: QuantityInput, path: Path, real?: boolean): number;
  /** A duration; "forever" is a century. */
  us(value: QuantityInput, path: Path): number;
  distribution(dimension: Dimension, input: DistributionInput, path: Path): DistributionSpec;
  /** Money in the currency in which it is due: fiat stays fiat where the exchange rate moves, and becomes msat where it does not. */
  amount(dimension: Dimension, value: QuantityInput, path: Path): Amount;
  /** An amount in whole msat at the scenario's rate. */
  msat(amount: Amount): number;
  /** Millionths of a fiat unit that this many msat are worth at the scenario's rate; null, and a finding, where there is none. */
  fiatUnits(currency: "USD" | "EUR", msat: number, path: Path): number | null;
  /** Whether the exchange rate moves. */
  readonly moving: boolean;
  /** The text of a file that the scenario names; null, and a finding, where it cannot be read. */
  text(path: Path, file: string): string | null;
  /** Something that does not fit. */
  finding(finding: Finding): void;
}
