import { BATCHES, SUMS } from "./batches.ts";
import { Sample } from "./sample.ts";

/** Completed and measured jobs of one client class at one operator class: the cell from which both margins are summed. */
export class Served {
  jobs = 0;
  inputTokens = 0;
  outputTokens = 0;
  /** Without fees. */
  amountMsat = 0;
  feesMsat = 0;
  readonly ttftUs = new Sample();
  readonly tpotUs = new Sample();
  readonly endToEndUs = new Sample();
  readonly queueingUs = new Sample();
  readonly perJobMsat = new Sample();
  readonly perMtokMsat = new Sample();
  /** A row per batch; columns as in `SUM`. */
  readonly batches = new Float64Array(BATCHES * SUMS);

  merge(other: Served): void {
    this.jobs += other.jobs;
    this.inputTokens += other.inputTokens;
    this.outputTokens += other.outputTokens;
    this.amountMsat += other.amountMsat;
    this.feesMsat += other.feesMsat;
    this.ttftUs.merge(other.ttftUs);
    this.tpotUs.merge(other.tpotUs);
    this.endToEndUs.merge(other.endToEndUs);
    this.queueingUs.merge(other.queueingUs);
    this.perJobMsat.merge(other.perJobMsat);
    this.perMtokMsat.merge(other.perMtokMsat);
    for (let i = 0; i < this.batches.length; i++) this.batches[i]! += other.batches[i]!;
  }

  static sum(parts: Iterable<Served>): Served {
    const sum = new Served();
    for (const part of parts) sum.merge(part);
    return sum;
  }
}
