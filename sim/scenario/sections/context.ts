import type { DistributionSpec } from "../../kernel/distributions/index.ts";
import type { DistributionInput, QuantityInput } from "../fields.ts";
import type { PathPart } from "../json-schema.ts";
import type { Finding } from "../problem.ts";
import type { Dimension } from "../units.ts";

/** Where in the scenario something stands. */
export type Path = readonly PathPart[];

/** What a section needs to bring what was written to base units. */
export interface SectionContext {
  /** In base units, fiat at the scenario's exchange rate; whole where the dimension is, unless `real`. What does not resolve is a finding, and 0. */
  number(dimension: Dimension, value: QuantityInput, path: Path, real?: boolean): number;
  /** A duration; "forever" is a century. */
  us(value: QuantityInput, path: Path): number;
  distribution(dimension: Dimension, input: DistributionInput, path: Path): DistributionSpec;
  /** Something that does not fit. */
  finding(finding: Finding): void;
}
