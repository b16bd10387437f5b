import { RandomStreams } from "../../../kernel/random.ts";
import type { TraceFormat } from "../../../scenario/scenario.ts";
import type { TraceReader } from "../trace-reader.ts";
import { Correlation } from "./correlation.ts";
import { GapHistogram } from "./gap-histogram.ts";
import { RateSeries } from "./rate-series.ts";
import { RowSample } from "./row-sample.ts";
import { SeenBlocks } from "./seen-blocks.ts";
import { TokenHistogram } from "./token-histogram.ts";
import { WindowCounts } from "./window-counts.ts";

/** Rows of the sample on which rank correlation is computed. */
const sampleRows = 20_000;
const second = 1_000_000;
const minute = 60 * second;
/** Widths at which bursts and slow changes of the rate are looked for, µs. */
const windowWidthsUs = [second, 10 * second, minute, 10 * minute, 60 * minute] as const;

/** What is in a trace, from one pass and in bounded memory. */
export interface TraceAnalysis {
  readonly file: string;
  readonly format: TraceFormat;
  readonly rows: number;
  readonly failedRows: number;
  readonly movedRows: number;
  readonly input: TokenHistogram;
  readonly output: TokenHistogram;
  /** Of input and output length; NaN where either is constant. */
  readonly pearson: number;
  /** Rank correlation (Spearman), on a random sample of at most 20,000 rows. */
  readonly spearman: number;
  /** null: the trace has no times. */
  readonly arrivals: ArrivalAnalysis | null;
  /** null: the trace names no prefix blocks. */
  readonly prefixes: PrefixAnalysis | null;
}

export interface ArrivalAnalysis {
  /** From the first request to the last, µs. */
  readonly spanUs: number;
  /** Gaps over span; NaN where the span is 0. */
  readonly meanRatePerS: number;
  readonly gaps: GapHistogram;
  /** Share of requests that carry the same time as the one before. */
  readonly sameTimeShare: number;
  /** Counts in windows of 1 s, 10 s, 1 min, 10 min and 1 h. */
  readonly windows: readonly WindowCounts[];
  /** The most requests in a minute, of the minutes laid end to end from the first request. */
  readonly peakPerMinute: number;
  readonly series: RateSeries;
}

export interface PrefixAnalysis {
  /** Requests that name blocks. */
  readonly requests: number;
  readonly blocks: number;
  /** Blocks that some earlier request had named already, anywhere in its prompt. */
  readonly seenBlocks: number;
  /** Blocks at the beginning of a prompt, up to the first that is new: what an unlimited prefix cache would save. */
  readonly cachedBlocks: number;
  /** False: `seenBlocks` and `cachedBlocks` may be slightly too high. */
  readonly exact: boolean;
}

/** Reads a trace to its end. */
export function analyseTrace(trace: TraceReader): TraceAnalysis {
  const input = new TokenHistogram();
  const output = new TokenHistogram();
  const correlation = new Correlation();
  const sample = new RowSample(sampleRows, new RandomStreams(1).stream("demand", "trace", "row sample"));
  const gaps = new GapHistogram();
  const windows = windowWidthsUs.map((widthUs) => new WindowCounts(widthUs));
  const series = new RateSeries();
  const seen = new SeenBlocks();
  let requestsWithBlocks = 0;
  let blocks = 0;
  let seenBlocks = 0;
  let cachedBlocks = 0;
  let lastUs = 0;
  let first = true;

  while (trace.next()) {
    const { timeUs, inputTokens, outputTokens, blockCount } = trace;
    input.add(inputTokens);
    output.add(outputTokens);
    correlation.add(inputTokens, outputTokens);
    sample.add(inputTokens, outputTokens);
    if (trace.hasTimes) {
      if (!first) gaps.add(timeUs - lastUs);
      for (let at = 0; at < windows.length; at += 1) windows[at]!.add(timeUs);
      series.add(timeUs);
    }
    if (blockCount > 0) {
      requestsWithBlocks += 1;
      blocks += blockCount;
      const names = trace.blocks;
      let prefix = true;
      for (let at = 0; at < blockCount; at += 1) {
        if (seen.add(names[at]!)) {
          seenBlocks += 1;
          if (prefix) cachedBlocks += 1;
        } else {
          prefix = false;
        }
      }
    }
    lastUs = timeUs;
    first = false;
  }

  const { file, format, rows, failedRows, movedRows } = trace;
  return {
    file, format, rows, failedRows, movedRows, input, output,
    pearson: correlation.value,
    spearman: sample.rankCorrelation(),
    arrivals: trace.hasTimes
      ? { spanUs: lastUs, meanRatePerS: (rows - 1) / (lastUs / second), gaps, sameTimeShare: gaps.zeros / gaps.count, windows, peakPerMinute: windows[2]!.peak, series }
      : null,
    prefixes: requestsWithBlocks > 0 ? { requests: requestsWithBlocks, blocks, seenBlocks, cachedBlocks, exact: seen.exact } : null,
  };
}
