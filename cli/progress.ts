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

/** Shows how far something has come that consists of parts. */
export interface TaskProgress {
  /** @param done parts that are over, fractions of others included; @param all as far as is known; @param purpose what is being done now */
  update(done: number, all: number, purpose: string): void;
  stop(): void;
}

export const noProgress: Progress & TaskProgress = { update: () => {}, stop: () => {} };

const newBar = (stream: NodeJS.WriteStream, format: string): SingleBar =>
  new SingleBar(
    {
      stream,
      format,
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

/** A bar with the estimated time left, redrawn in place. */
const bar = (stream: NodeJS.WriteStream): Progress => {
  const single = newBar(stream, "{bar} {percentage} % | {clock} of {horizon} | {jobs} jobs | {eta_formatted} left");
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

const taskBar = (stream: NodeJS.WriteStream): TaskProgress => {
  const single = newBar(stream, "{bar} {percentage} % | {purpose} | {eta_formatted} left");
  let started = false;
  return {
    update: (done, all, purpose) => {
      if (!started) single.start(all, 0, { purpose });
      started = true;
      single.setTotal(all);
      single.update(done, { purpose });
    },
    stop: () => {
      if (started) single.stop();
    },
  };
};

/** One line for each tenth, for logs; never back, even where there turns out to be more to do. */
const taskLines = (output: Output): TaskProgress => {
  let tenthsSaid = 0;
  return {
    update: (done, all, purpose) => {
      const tenths = Math.floor((10 * done) / all);
      if (tenths <= tenthsSaid) return;
      tenthsSaid = tenths;
      output.write(`${Math.floor((100 * done) / all)} % | ${purpose}\n`);
    },
    stop: () => {},
  };
};

/** As `showProgress`, of something that consists of parts. */
export const showTask = (stream: NodeJS.WriteStream, ci: boolean): TaskProgress => (stream.isTTY && !ci ? taskBar(stream) : taskLines(stream));

export { lines as progressLines };
