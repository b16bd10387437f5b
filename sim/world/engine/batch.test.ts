import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BatchEngine, type BatchRules } from "./batch.ts";
import { affineCost } from "./cost.ts";
import type { EngineSink, StepCost } from "./engine.ts";
import { llamaCppRules } from "./llama-cpp.ts";
import { ReferenceBatchEngine } from "./reference/batch.ts";
import { difference, play, type Act } from "./reference/play.ts";
import { sequentialRules } from "./sequential.ts";
import { vllmRules } from "./vllm.ts";

const amount = (max: number): fc.Arbitrary<number> => fc.oneof(fc.constant(0), fc.double({ min: 0, max, noNaN: true }), fc.integer({ min: 0, max: Math.ceil(max) }));

const cost: fc.Arbitrary<StepCost> = fc
  .record({
    t0Us: fc.oneof(fc.double({ min: 0.1, max: 20_000, noNaN: true }), fc.integer({ min: 1, max: 20 })),
    perSequenceUs: amount(500),
    perPrefillTokenUs: amount(50),
    contextUs: amount(1),
    prefillContextUs: amount(0.05),
    experts: fc.boolean(),
  })
  .map(({ experts, ...coefficients }) => {
    const affine = affineCost(coefficients);
    // Mixture of experts: the share of experts touched grows with the batch, so the base is not affine.
    return experts ? { ...affine, baseUs: (p: number, s: number) => affine.baseUs(p, s) * (1 - Math.exp(-(p + s) / 8)) } : affine;
  });

const discipline = fc.constantFrom("fifo" as const, "priority" as const);
const rules: Record<string, fc.Arbitrary<BatchRules>> = {
  "llama.cpp": fc
    .record({
      cost, discipline, slots: fc.integer({ min: 1, max: 6 }), contextTokens: fc.integer({ min: 16, max: 400 }),
      kvTokensMax: fc.integer({ min: 100, max: 2_000 }), batchTokens: fc.integer({ min: 1, max: 300 }),
    })
    .map(llamaCppRules),
  vllm: fc
    .record({
      cost, discipline, maxSequences: fc.integer({ min: 1, max: 12 }), kvTokensMax: fc.integer({ min: 100, max: 1_200 }),
      batchTokens: fc.integer({ min: 1, max: 300 }), blockTokens: fc.constantFrom(1, 4, 16, 32),
    })
    .map(vllmRules),
  sequential: fc
    .record({ cost, discipline, contextTokens: fc.integer({ min: 16, max: 600 }), batchTokens: fc.integer({ min: 1, max: 300 }) })
    .map(sequentialRules),
};

const when = { gapUs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 200_000 })), advanceFirst: fc.boolean() };
const submit: fc.Arbitrary<Act> = fc.record({
  ...when, do: fc.constant("submit" as const), input: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 300 })), output: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 200 })),
  priority: fc.integer({ min: 0, max: 3 }),
});
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 30, arbitrary: submit },
    { weight: 6, arbitrary: fc.record({ ...when, do: fc.constant("cancel" as const), which: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ ...when, do: fc.constant("clear" as const) }) },
    { weight: 2, arbitrary: fc.record({ ...when, do: fc.constantFrom("speed" as const, "share" as const), factor: fc.constantFrom(0.1, 0.5, 1, 1.7), promptFactor: fc.constantFrom(0.1, 0.5, 1, 1.7) }) },
  ),
  { minLength: 1, maxLength: 40 },
);

describe.each(Object.keys(rules))("%s in closed form", (name) => {
  test("equals the reference that goes step by step, with cancellation, slow-downs, priorities and a full KV cache", () => {
    fc.assert(
      fc.property(rules[name]!, acts, (rule, list) => {
        expect(difference(play(new BatchEngine(rule), list), play(new ReferenceBatchEngine(rule), list), 0)).toBe("");
      }),
      { seed: 1, numRuns: 2_000 },
    );
  });
});

const plainCost = affineCost({ t0Us: 1_000, perSequenceUs: 100, perPrefillTokenUs: 10, contextUs: 0.5, prefillContextUs: 0.25 });
const submitAt = (gapUs: number, input: number, output: number, priority = 0): Act => ({ gapUs, advanceFirst: false, do: "submit", input, output, priority });
const timesOf = (rule: BatchRules, list: readonly Act[], kind: string): number[][] =>
  play(new BatchEngine(rule), list).events.filter((event) => event.kind === kind).map((event) => [event.ref, event.atUs]);

test("a stretch of hours, too long for one exact sum, is taken in pieces and ends when the reference says", () => {
  const rule = llamaCppRules({ cost: affineCost({ t0Us: 1e6 / 3, perSequenceUs: 0.7, perPrefillTokenUs: 0, contextUs: 1 / 7, prefillContextUs: 0 }), contextTokens: 65_536 });
  const list = [submitAt(0, 100, 60_000), submitAt(123_456_789, 5, 30_000)];
  expect(difference(play(new BatchEngine(rule), list), play(new ReferenceBatchEngine(rule), list), 0)).toBe("");
});

describe("by hand", () => {
  test("one sequence: prefill, then an arithmetic series of decode steps", () => {
    const prefillUs = 1_000 + 10 * 40 + 0.25 * ((40 * 39) / 2);
    // Decode steps read contexts of 41, 42, ..., 41 + 8: nine steps after the first token make ten tokens.
    const decodeUs = 9 * 1_100 + 0.5 * (9 * 41 + 36);
    for (const rule of [llamaCppRules({ cost: plainCost }), vllmRules({ cost: plainCost, kvTokensMax: 1_024 }), sequentialRules({ cost: plainCost })]) {
      const { events, samples } = play(new BatchEngine(rule), [submitAt(5, 40, 10)]);
      expect(events).toEqual([
        { kind: "started", ref: 0, atUs: 5 },
        { kind: "firstToken", ref: 0, atUs: 5 + prefillUs },
        { kind: "finished", ref: 0, atUs: Math.ceil(5 + prefillUs + decodeUs) },
      ]);
      const [busyUs, runningUs, kvTokenUs] = samples.at(-1)!.figures;
      expect(busyUs).toBe(prefillUs + decodeUs);
      expect(runningUs).toBe(prefillUs + decodeUs);
      // 40 tokens during prefill; then step j of 1,100 + 0.5 (41 + j) us holds 41 + j.
      let held = 40 * prefillUs;
      for (let step = 0; step < 9; step++) held += (1_100 + 0.5 * (41 + step)) * (41 + step);
      expect(kvTokenUs).toBeCloseTo(held, 6);
    }
  });

  test("a prompt longer than the batch is processed in chunks, and its attention adds up to the whole", () => {
    const rule = sequentialRules({ cost: plainCost, batchTokens: 16 });
    expect(timesOf(rule, [submitAt(0, 40, 1)], "finished")).toEqual([[0, 3 * 1_000 + 10 * 40 + 0.25 * ((40 * 39) / 2)]]);
  });

  test("a sequence of one output token finishes with its first token", () => {
    const { events } = play(new BatchEngine(llamaCppRules({ cost: plainCost })), [submitAt(0, 1, 1)]);
    expect(events.map((event) => [event.kind, event.atUs])).toEqual([["started", 0], ["firstToken", 1_010], ["finished", 1_010]]);
  });

  test("M/D/1-like: jobs that take D each wait for those before them", () => {
    const rule = sequentialRules({ cost: affineCost({ t0Us: 250, perSequenceUs: 0, perPrefillTokenUs: 0, contextUs: 0, prefillContextUs: 0 }) });
    // One prefill step and three decode steps: D = 1,000.
    expect(timesOf(rule, [submitAt(0, 8, 4), submitAt(100, 8, 4), submitAt(300, 8, 4), submitAt(5_000, 8, 4)], "finished"))
      .toEqual([[0, 1_000], [1, 2_000], [2, 3_000], [3, 6_400]]);
  });

  test("an arrival joins at the next step boundary, and decoding goes on beside its prefill", () => {
    const rule = llamaCppRules({ cost: affineCost({ t0Us: 100, perSequenceUs: 10, perPrefillTokenUs: 1, contextUs: 0, prefillContextUs: 0 }) });
    // First: prefill of 50 until 150, decode steps of 110: 260, 370. The second comes at 200 and joins at 260 with 20 tokens.
    const { events } = play(new BatchEngine(rule), [submitAt(0, 50, 4), submitAt(200, 20, 2)]);
    expect(events).toEqual([
      { kind: "started", ref: 0, atUs: 0 },
      { kind: "firstToken", ref: 0, atUs: 150 },
      { kind: "started", ref: 1, atUs: 260 },
      { kind: "firstToken", ref: 1, atUs: 390 },
      { kind: "finished", ref: 0, atUs: 510 },
      { kind: "finished", ref: 1, atUs: 510 },
    ]);
  });

  test("an arrival at a step boundary itself joins at the next one, whoever is asked first", () => {
    const rule = llamaCppRules({ cost: affineCost({ t0Us: 100, perSequenceUs: 0, perPrefillTokenUs: 0, contextUs: 0, prefillContextUs: 0 }) });
    for (const advanceFirst of [false, true]) {
      expect(timesOf(rule, [submitAt(0, 5, 9), { ...submitAt(200, 5, 1), advanceFirst }], "started")).toEqual([[0, 0], [1, 300]]);
    }
  });

  test("a full KV cache makes vLLM preempt the latest, which recomputes prompt and output", () => {
    // 4 blocks of 16. Both jobs hold 2 blocks at 17 to 32 tokens; at 33 the first needs a third one.
    const rule = vllmRules({ cost: affineCost({ t0Us: 100, perSequenceUs: 0, perPrefillTokenUs: 0, contextUs: 0, prefillContextUs: 0 }), kvTokensMax: 64 });
    const { events } = play(new BatchEngine(rule), [submitAt(0, 30, 20), submitAt(0, 30, 20)]);
    // Step 1 prefills both, steps 2 and 3 bring both to 32 tokens in the cache; before step 4 the second is thrown out.
    // The first goes on alone: 3 tokens so far, 17 steps more. Its three blocks leave one free, too few for 33 tokens.
    expect(events).toEqual([
      { kind: "started", ref: 0, atUs: 0 },
      { kind: "started", ref: 1, atUs: 0 },
      { kind: "firstToken", ref: 0, atUs: 100 },
      { kind: "firstToken", ref: 1, atUs: 100 },
      { kind: "preempted", ref: 1, atUs: 300 },
      { kind: "finished", ref: 0, atUs: 2_000 },
      // Recomputing 30 + 3 tokens brings the fourth, then 16 steps.
      { kind: "finished", ref: 1, atUs: 2_000 + 17 * 100 },
    ]);
  });

  test("llama.cpp admits a job only when its whole need is free, and nobody overtakes the head of the line", () => {
    const rule = llamaCppRules({ cost: plainCost, slots: 3, contextTokens: 64, kvTokensMax: 100 });
    const { events } = play(new BatchEngine(rule), [submitAt(0, 40, 20), submitAt(0, 40, 20), submitAt(0, 4, 4)]);
    const at = (kind: string, ref: number): number => events.find((event) => event.kind === kind && event.ref === ref)!.atUs;
    expect(at("started", 1)).toBe(at("finished", 0));
    expect(at("started", 2)).toBe(at("started", 1));
  });

  test("when the head of the line is cancelled, a smaller job behind it may come in at the next step boundary", () => {
    const rule = llamaCppRules({ cost: affineCost({ t0Us: 100, perSequenceUs: 0, perPrefillTokenUs: 0, contextUs: 0, prefillContextUs: 0 }), slots: 3, contextTokens: 64, kvTokensMax: 80 });
    const cancelHead: Act = { gapUs: 450, advanceFirst: false, do: "cancel", which: 1 };
    expect(timesOf(rule, [submitAt(0, 30, 30), submitAt(0, 30, 30), submitAt(0, 4, 4), cancelHead], "started")).toEqual([[0, 0], [2, 500]]);
  });

  test("a step cost out of range is refused in words", () => {
    expect(() => affineCost({ t0Us: 0, perSequenceUs: 0, perPrefillTokenUs: 1, contextUs: 0, prefillContextUs: 0 })).toThrow(/no time/);
    expect(() => affineCost({ t0Us: 1, perSequenceUs: -1, perPrefillTokenUs: 1, contextUs: 0, prefillContextUs: 0 })).toThrow(/perSequenceUs is -1/);
    const endless = new BatchEngine(llamaCppRules({ cost: affineCost({ t0Us: 1e13, perSequenceUs: 0, perPrefillTokenUs: 0, contextUs: 0, prefillContextUs: 0 }) }));
    endless.submit(0, 0, 1, 1, 0);
    expect(() => endless.advance(0, { started() {}, firstToken() {}, finished() {}, preempted() {} })).toThrow(/lasts/);
  });
});

describe("the caller's side", () => {
  const silent = { started() {}, firstToken() {}, finished() {}, preempted() {} };
  const engineWithJob = (): BatchEngine => {
    const engine = new BatchEngine(llamaCppRules({ cost: plainCost, contextTokens: 128 }));
    engine.submit(10, 0, 8, 8, 0);
    return engine;
  };

  test("a job that can never fit is refused at submit, and fits says so before", () => {
    const engine = engineWithJob();
    expect(engine.fits(100, 28)).toBe(true);
    expect(engine.fits(100, 29)).toBe(false);
    expect(() => engine.submit(10, 1, 100, 29, 0)).toThrow(RangeError);
    expect(() => engine.submit(10, 1, 100, 0, 0)).toThrow(RangeError);
    expect(() => engine.submit(10, -1, 1, 1, 0)).toThrow(/ref is -1/);
    expect(engine.waiting).toBe(1);
    const paged = new BatchEngine(vllmRules({ cost: plainCost, kvTokensMax: 63 }));
    expect([paged.fits(40, 9), paged.fits(40, 10)]).toEqual([true, false]);
  });

  test("the clock does not go back, and nobody misses what is due", () => {
    const engine = engineWithJob();
    expect(engine.nextUs).toBe(10);
    expect(() => engine.cancel(9, 0)).toThrow(/went back/);
    expect(() => engine.cancel(11, 0)).toThrow(/advance it first/);
    expect(() => engine.cancel(10.5, 0)).toThrow(/integer/);
    engine.advance(10, silent);
    expect([engine.running, engine.waiting, engine.kvTokensUsed]).toEqual([1, 0, 8]);
    expect(() => engine.advance(9, silent)).toThrow(/went back/);
  });

  test("a cancelled job is silent at once, its handle is free, and its slot at the next step boundary", () => {
    const engine = engineWithJob();
    const heard: string[] = [];
    const sink: EngineSink = {
      started: (ref: number, atUs: number) => void heard.push(`started ${ref} ${atUs}`),
      firstToken: (ref: number, atUs: number) => void heard.push(`firstToken ${ref} ${atUs}`),
      finished: (ref: number, atUs: number) => void heard.push(`finished ${ref} ${atUs}`),
      preempted: () => {},
    };
    engine.advance(10, sink);
    expect(engine.cancel(20, 0)).toBe(true);
    expect(engine.cancel(20, 0)).toBe(false);
    expect(engine.running).toBe(1);
    engine.submit(30, 0, 8, 1, 0);
    while (engine.nextUs < Infinity) engine.advance(engine.nextUs, sink);
    const stepUs = 1_000 + 80 + 0.25 * 28;
    expect(heard).toEqual(["started 0 10", `started 0 ${10 + stepUs}`, `firstToken 0 ${10 + 2 * stepUs}`, `finished 0 ${10 + 2 * stepUs}`]);
  });

  test("what is submitted from within the sink is served", () => {
    const engine = engineWithJob();
    const ends: number[] = [];
    const sink = {
      ...silent,
      finished(ref: number, atUs: number): void {
        ends.push(atUs);
        if (ref < 3) engine.submit(atUs, ref + 1, 8, 8, 0);
      },
    };
    while (engine.nextUs < Infinity) engine.advance(engine.nextUs, sink);
    const aloneUs = ends[0]! - 10;
    expect(ends.length).toBe(4);
    for (const [at, endUs] of ends.entries()) expect(Math.abs(endUs - (10 + (at + 1) * aloneUs))).toBeLessThanOrEqual(at);
    expect(() => {
      engine.submit(ends[3]!, 9, 8, 8, 0);
      engine.advance(ends[3]!, { ...silent, started: () => engine.advance(ends[3]!, silent) });
    }).toThrow(/sink called advance/);
  });

  test("no slot stays idle while the head of the line fits, at any step boundary", () => {
    fc.assert(
      fc.property(rules["llama.cpp"]!, acts, (rule, list) => {
        // With room for every slot's full context, a waiting job means that all slots are taken.
        const engine = new BatchEngine({ ...rule, kvTokensMax: rule.slots * rule.contextTokensMax });
        let nowUs = 0;
        let refs = 0;
        for (const act of list) {
          nowUs += act.gapUs;
          while (engine.nextUs < nowUs) {
            engine.advance(engine.nextUs, silent);
            expect(engine.running).toBeLessThanOrEqual(engine.slots);
            expect(engine.waiting === 0 || engine.running === engine.slots).toBe(true);
          }
          while (engine.nextUs <= nowUs) engine.advance(engine.nextUs, silent);
          if (act.do === "submit" && engine.fits(act.input, act.output)) engine.submit(nowUs, refs++, act.input, act.output, act.priority);
        }
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe("the comparison bites", () => {
  const rule = vllmRules({ cost: plainCost, kvTokensMax: 400 });
  const list = [submitAt(0, 100, 50), submitAt(500, 120, 80), submitAt(9_000, 30, 200), submitAt(100, 60, 60)];
  const truth = play(new ReferenceBatchEngine(rule), list);

  test("a sound engine passes", () => {
    expect(difference(play(new BatchEngine(rule), list), truth, 0)).toBe("");
    expect(truth.events.some((event) => event.kind === "preempted")).toBe(true);
  });

  test("an event 2 us late, a lost event, and a figure off by a millionth are caught", () => {
    const played = play(new BatchEngine(rule), list);
    const late = { ...played, events: played.events.map((event, at) => (at === 3 ? { ...event, atUs: event.atUs + 2 } : event)) };
    expect(difference(late, truth, 1)).toMatch(/^event 3/);
    expect(difference({ ...played, events: played.events.slice(0, -1) }, truth, 1)).toMatch(/^event/);
    const off = { ...played, samples: played.samples.map((sample) => ({ ...sample, figures: sample.figures.map((figure, i) => (i === 2 ? figure * 1.000_001 : figure)) })) };
    expect(difference(off, truth, 1)).toMatch(/^sample/);
  });

  test.each([
    ["one token of prompt less in a step", { batchTokens: rule.batchTokens - 2_000 + 51 }, { batchTokens: rule.batchTokens - 2_000 + 52 }],
    ["blocks of another size", { blockTokens: 16 }, { blockTokens: 15 }],
    ["a context read that is dearer by a thousandth", {}, { cost: { ...plainCost, contextUs: 0.5005 } }],
    ["a KV cache one block smaller", {}, { kvTokensMax: 384 }],
  ])("%s is caught", (_, theirs, ours) => {
    expect(difference(play(new BatchEngine({ ...rule, ...ours }), list), play(new ReferenceBatchEngine({ ...rule, ...theirs }), list), 1)).not.toBe("");
  });
});
