import type { AddTotal } from "./marks.ts";
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

  /** The samples by their place in a group of jobs' report. */
  get samples(): readonly (readonly [string, Sample])[] {
    return [
      ["latency.ttftUs", this.ttftUs], ["latency.tpotUs", this.tpotUs], ["latency.endToEndUs", this.endToEndUs], ["latency.queueingUs", this.queueingUs],
      ["prices.perJobMsat", this.perJobMsat], ["prices.perMtokMsat", this.perMtokMsat],
    ];
  }

  /** Totals so far. @param prefix of their names */
  totals(prefix: string, add: AddTotal): void {
    add(`${prefix}.jobs`, this.jobs);
    add(`${prefix}.tokens.input`, this.inputTokens);
    add(`${prefix}.tokens.output`, this.outputTokens);
    add(`${prefix}.amountMsat`, this.amountMsat);
    add(`${prefix}.feesMsat`, this.feesMsat);
    for (const [name, sample] of this.samples) {
      add(`${prefix}.${name}.count`, sample.count);
      add(`${prefix}.${name}.sum`, sample.sum);
    }
  }

  /** All that came since the last mark belongs to this batch. */
  mark(batch: number): void {
    for (const [, sample] of this.samples) sample.mark(batch);
  }

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
  }

  static sum(parts: Iterable<Served>): Served {
    const sum = new Served();
    for (const part of parts) sum.merge(part);
    return sum;
  }
}
