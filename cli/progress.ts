import { Presets, SingleBar } from "cli-progress";
import { formatDurationUs, formatNumber } from "../protocol/units.ts";

/** Shows how far a run has come. Time is simulated microseconds; what is past the horizon is the drain. */
export interface Progress {
  update(nowUs: number, horizonUs: number, jobs: number): void;
  stop(): void;
}

/** Where progress goes: the part of a terminal or pipe that is needed here. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export const noProgress: Progress = { update: () => {}, stop: () => {} };

/** A bar with the estimated time left, redrawn in place. */
const bar = (stream: NodeJS.WriteStream): Progress => {
  const single = new SingleBar(
    {
      stream,
      format: "{bar} {percentage} % | {clock} of {horizon} | {jobs} jobs | {eta_formatted} left",
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      stopOnComplete: false,
      // The run yields between slices only; the bar's own signal handler would exit before the report is written.
      gracefulExit: false,
      etaBuffer: 50,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update: (nowUs, horizonUs, jobs) => {
      const payload = { clock: formatDurationUs(Math.min(nowUs, horizonUs)), horizon: formatDurationUs(horizonUs), jobs: formatNumber(jobs) };
      if (!started) single.start(horizonUs, 0, payload);
      started = true;
      single.update(Math.min(nowUs, horizonUs), payload);
    },
    stop: () => {
      if (started) single.stop();
    },
  };
};

/** One line for each tenth, for logs. */
const lines = (output: Output): Progress => {
  let tenthsSaid = 0;
  return {
    update: (nowUs, horizonUs, jobs) => {
      const tenths = Math.floor((10 * Math.min(nowUs, horizonUs)) / horizonUs);
      if (tenths <= tenthsSaid) return;
      tenthsSaid = tenths;
      output.write(`${Math.floor((100 * Math.min(nowUs, horizonUs)) / horizonUs)} % | ${formatDurationUs(Math.min(nowUs, horizonUs))} simulated | ${formatNumber(jobs)} jobs\n`);
    },
    stop: () => {},
  };
};

/** A bar where a person watches, lines where a log is kept. */
export const showProgress = (stream: NodeJS.WriteStream, ci: boolean): Progress => (stream.isTTY && !ci ? bar(stream) : lines(stream));

export { lines as progressLines };
