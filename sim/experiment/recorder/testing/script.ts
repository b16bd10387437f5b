import fc from "fast-check";
import type { JobRow, ReportJobStatus, RunReport } from "../../../../protocol/result.ts";
import { Recorder } from "../recorder.ts";
import type { RecorderSetup } from "../setup.ts";

/** A job's whole life as times and figures, decided beforehand. Times are absolute microseconds. */
export interface ScriptedJob {
  readonly clientClass: number;
  readonly submittedUs: number;
  readonly inputTokens: number;
  readonly maxOutputTokens: number;
  /** Attempts that came to nothing, in order. */
  readonly lost: readonly { readonly node: number; readonly assignedUs: number; readonly startedUs: number | null; readonly failedUs: number; readonly reason: string }[];
  readonly served: { readonly node: number; readonly assignedUs: number; readonly startedUs: number; readonly firstTokenUs: number; readonly finishedUs: number; readonly outputTokens: number; readonly amountMsat: number; readonly feeMsat: number } | null;
  readonly endedUs: number | null;
  readonly status: ReportJobStatus;
  readonly reason: string;
}

export interface Script {
  readonly setup: RecorderSetup;
  readonly jobs: readonly ScriptedJob[];
  readonly endUs: number;
}

const HORIZON_US = 1_000_000;
const NODES = 5;
export const MAX_PRICE_MSAT = 1_000_000;

const gap = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 200_000 }));
const node = fc.integer({ min: 0, max: NODES - 1 });

const job = fc.record({
  clientClass: fc.integer({ min: 0, max: 1 }), submittedUs: fc.integer({ min: 0, max: HORIZON_US - 1 }), inputTokens: fc.integer({ min: 0, max: 5_000 }),
  outputTokens: fc.integer({ min: 1, max: 300 }), spare: fc.integer({ min: 0, max: 300 }), amountMsat: fc.integer({ min: 0, max: 900_000 }), feeMsat: fc.integer({ min: 0, max: 100_000 }),
  lost: fc.array(fc.record({ node, wait: gap, start: fc.boolean(), work: gap, reason: fc.constantFrom("queue-full", "runner-failed") }), { maxLength: 6 }),
  node, gaps: fc.tuple(gap, gap, gap, gap, gap),
  fate: fc.constantFrom("served", "served", "served", "unpaid", "rejected", "expired", "cancelled", "in flight"),
}).map((plan): ScriptedJob => {
  let at = plan.submittedUs;
  const lost = plan.lost.map(({ node: of, wait, start, work, reason }) => {
    const assignedUs = at + wait;
    const failedUs = assignedUs + work;
    at = failedUs;
    return { node: of, assignedUs, startedUs: start ? assignedUs + Math.floor(work / 2) : null, failedUs, reason };
  });
  const isServed = plan.fate === "served" || plan.fate === "unpaid";
  const [a, b, c, d, e] = plan.gaps;
  const { outputTokens, amountMsat, feeMsat } = plan;
  const served = isServed
    ? { node: plan.node, assignedUs: at + a, startedUs: at + a + b, firstTokenUs: at + a + b + c, finishedUs: at + a + b + c + d, outputTokens, amountMsat, feeMsat }
    : null;
  const status = ({ served: "completed", unpaid: "failed", rejected: "rejected", expired: "expired", cancelled: "cancelled", "in flight": "expired" } as const)[plan.fate];
  return {
    clientClass: plan.clientClass, submittedUs: plan.submittedUs, inputTokens: plan.inputTokens, maxOutputTokens: outputTokens + plan.spare, lost, served,
    endedUs: plan.fate === "in flight" ? null : (served?.finishedUs ?? at) + e, status, reason: status === "completed" ? "" : plan.fate,
  };
});

/** Random runs of a small market, with every way for a job to end. */
export const script: fc.Arbitrary<Script> = fc
  .record({ jobs: fc.array(job, { maxLength: 60 }), warmupUs: fc.constantFrom(0, 1, 250_000, 333_333), ttftUs: fc.option(fc.integer({ min: 1, max: 400_000 }), { nil: undefined }), tail: fc.integer({ min: 0, max: 100_000 }) })
  .map(({ jobs, warmupUs, ttftUs, tail }) => ({
    jobs,
    endUs: Math.max(HORIZON_US, ...jobs.flatMap((of) => [of.endedUs ?? 0, of.served?.finishedUs ?? 0, ...of.lost.map(({ failedUs }) => failedUs)])) + tail,
    setup: {
      seed: 1, horizonUs: HORIZON_US, warmupUs,
      clientClasses: [{ name: "a", goals: { ttftUs, endToEndUs: 500_000 } }, { name: "b", goals: { tpotUs: 700 } }],
      operatorClasses: [{ name: "x" }, { name: "y" }],
      nodes: Array.from({ length: NODES }, (_, index) => ({
        name: `n${index}`, operatorClass: index % 2, region: "eu", machine: "m", model: "m", slots: 1_000, kvTokensMax: 1_000, inputMsatPerMtok: 1, outputMsatPerMtok: 2,
      })),
    },
  }));

/** Plays a script through a recorder, with slots handed out and taken back as the real world does. */
export function play({ setup, jobs, endUs }: Script): { readonly report: RunReport; readonly rows: JobRow[] } {
  const rows: JobRow[] = [];
  const names: string[] = [];
  const recorder = new Recorder({ ...setup, jobName: (slot) => names[slot]!, onJobRow: (row) => rows.push({ ...row }) });
  const facts: { readonly atUs: number; readonly order: number; readonly tell: () => void }[] = [];
  const at = (atUs: number, tell: () => void): void => void facts.push({ atUs, order: facts.length, tell });
  const slots = new Map<number, number>();
  const free: number[] = [];
  const running = setup.nodes.map(() => 0);
  const shift = (of: number, change: number, nowUs: number): void => recorder.nodeState(of, nowUs, (running[of]! += change), 0);
  jobs.forEach((of, index) => {
    const slot = (): number => slots.get(index)!;
    at(of.submittedUs, () => {
      slots.set(index, free.pop() ?? slots.size - free.length);
      names[slot()] = `job-${index}`;
      recorder.submitted(slot(), of.submittedUs, of.clientClass, of.inputTokens, of.maxOutputTokens, MAX_PRICE_MSAT);
    });
    of.lost.forEach(({ node: on, assignedUs, startedUs, failedUs, reason }, attempt) => {
      at(assignedUs, () => recorder.assigned(slot(), assignedUs, on, attempt + 1));
      if (startedUs !== null) at(startedUs, () => recorder.started(slot(), startedUs, attempt + 1));
      at(failedUs, () => recorder.attemptFailed(slot(), failedUs, on, attempt + 1, reason));
    });
    if (of.served !== null) {
      const { node: on, assignedUs, startedUs, firstTokenUs, finishedUs, outputTokens, amountMsat, feeMsat } = of.served;
      const attempt = of.lost.length + 1;
      at(assignedUs, () => recorder.assigned(slot(), assignedUs, on, attempt));
      at(startedUs, () => {
        recorder.started(slot(), startedUs, attempt);
        shift(on, 1, startedUs);
      });
      at(firstTokenUs, () => recorder.firstToken(slot(), firstTokenUs, attempt));
      at(finishedUs, () => {
        recorder.finished(slot(), finishedUs, on, attempt, of.inputTokens, outputTokens, amountMsat, feeMsat);
        shift(on, -1, finishedUs);
      });
    }
    const { endedUs } = of;
    if (endedUs !== null) {
      at(endedUs, () => {
        recorder.ended(slot(), endedUs, of.status, of.reason);
        free.push(slot());
      });
    }
  });
  facts.sort((a, b) => a.atUs - b.atUs || a.order - b.order);
  const markUntil = (untilUs: number): void => { while (recorder.nextMarkUs < untilUs) recorder.mark(recorder.nextMarkUs); };
  for (const { atUs, tell } of facts) {
    markUntil(atUs);
    tell();
  }
  markUntil(endUs + 1);
  const provenance = { lab: { name: "lab", version: "0" }, scenario: { name: "script", question: "", hash: "0".repeat(64), resolved: {} }, seed: 1, sets: [] };
  return { report: recorder.finish(endUs, { provenance }), rows };
}
