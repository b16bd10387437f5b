import { readFileSync } from "node:fs";
import { type JobRow, type RunReport, runReport } from "../../protocol/result.ts";

const load = (name: string): RunReport => runReport.parse(JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), "utf8")));

/** A small market with two client classes, three operator classes, a rush, breakdowns and rejections. */
export const toy = load("toy-report");
/** No class, no node, no job. */
export const empty = load("empty-report");

/** What a hostile scenario may call its classes and nodes. */
export const HOSTILE = `<script>alert("x")</script> & 'y' | \`z\` *b* [l](http://example.org) ]]> \u0000 -->`;

/** Reports at the edges of what plots, tables and files have to bear, by name. */
export const odd: Readonly<Record<string, RunReport>> = {
  empty,
  "no job completed": {
    ...toy,
    overall: { ...toy.overall, jobs: { ...toy.overall.jobs, completed: 0, rejected: toy.overall.jobs.submitted }, latency: empty.overall.latency, prices: empty.overall.prices },
    clientClasses: toy.clientClasses.map((of) => ({ ...of, jobs: { ...of.jobs, completed: 0 }, latency: empty.overall.latency, histograms: empty.overall.histograms, prices: empty.overall.prices })),
    operatorClasses: toy.operatorClasses.map((of) => ({ ...of, jobs: 0, revenueMsat: 0, utilisation: null, prices: empty.overall.prices })),
    nodes: toy.nodes.map((of) => ({ ...of, jobs: 0, revenueMsat: 0, utilisation: null, availability: 0 })),
    overTime: { ...toy.overTime, perMtokMsat: toy.overTime.startUs.map(() => null), ttftP50Us: toy.overTime.startUs.map(() => null), ttftP95Us: toy.overTime.startUs.map(() => null), utilisation: toy.overTime.startUs.map(() => null) },
    flows: [],
    money: null,
  },
  "every latency the same, every job free": {
    ...toy,
    clientClasses: toy.clientClasses.map((of) => {
      const same = { edges: [1_000, 1_000], counts: [5] };
      return { ...of, histograms: { ttftUs: same, tpotUs: { edges: [0, 0], counts: [5] }, endToEndUs: same, queueingUs: { edges: [0, 0, 3], counts: [4, 1] } } };
    }),
    nodes: toy.nodes.map((of) => ({ ...of, outputMsatPerMtok: 0 })),
    overTime: { ...toy.overTime, perMtokMsat: toy.overTime.startUs.map(() => 0), ttftP50Us: toy.overTime.startUs.map(() => 0), ttftP95Us: toy.overTime.startUs.map(() => 0) },
  },
  "thirty classes of each kind, ten thousand nodes": {
    ...toy,
    clientClasses: Array.from({ length: 30 }, (_, index) => ({ ...toy.clientClasses[index % 2]!, name: `clients-with-a-rather-long-name-${index}` })),
    operatorClasses: Array.from({ length: 30 }, (_, index) => ({ ...toy.operatorClasses[index % 3]!, name: `operators-${index}` })),
    nodes: Array.from({ length: 10_000 }, (_, index) => ({ ...toy.nodes[index % toy.nodes.length]!, name: `node-${index}`, operatorClass: `operators-${index % 30}`, outputMsatPerMtok: 1_000 + index })),
    overTime: { ...toy.overTime, operatorClasses: Array.from({ length: 30 }, (_, index) => ({ ...toy.overTime.operatorClasses[index % 3]!, name: `operators-${index}` })) },
  },
  "a second, by nanosecond-like windows": {
    ...toy,
    horizonUs: 119, warmupUs: 7,
    overTime: { ...toy.overTime, windowUs: 1, startUs: toy.overTime.startUs.map((_, index) => index) },
  },
  "hostile names": {
    ...toy,
    provenance: { ...toy.provenance, sets: [HOSTILE], scenario: { ...toy.provenance.scenario, name: HOSTILE, question: HOSTILE, resolved: { name: HOSTILE } } },
    clientClasses: toy.clientClasses.map((of, index) => ({ ...of, name: `${HOSTILE}${index}` })),
    operatorClasses: toy.operatorClasses.map((of, index) => ({ ...of, name: `${HOSTILE}${index}` })),
    nodes: toy.nodes.map((of, index) => ({ ...of, name: `${HOSTILE}${index}`, operatorClass: `${HOSTILE}0`, machine: HOSTILE })),
    overall: { ...toy.overall, reasons: [{ status: "rejected", reason: HOSTILE, jobs: 3 }] },
  },
};

/** A row of jobs.csv. */
export const row: JobRow = {
  job: "chat-1", clientClass: "chat", status: "completed", reason: "", node: "rtx4090-1", operatorClass: "rtx4090", attempts: 1, submittedUs: 1, assignedUs: 2, startedUs: 3,
  firstTokenUs: 4, finishedUs: 5, endedUs: 6, inputTokens: 7, outputTokens: 8, maxOutputTokens: 9, amountMsat: 10, feeMsat: 11, maxPriceMsat: 12, metGoals: true, measured: false,
};
