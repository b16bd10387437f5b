import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { RunTask } from "../sim/experiment/plan.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { JournalError, JournalFile, marketOf } from "./journal-file.ts";
import { subject } from "./testing/experiment.ts";
import type { WireOutcome } from "./wire.ts";

const folder = mkdtempSync(join(tmpdir(), "infernet-journal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const head = { labVersion: "1", experiment: "test", market: "mm1" };

let files = 0;
const fresh = (): string => join(folder, `${files++}.journal`);
const task = (name: string): RunTask => ({ name, sets: ["a=1"], seed: 2 });
const outcome: WireOutcome = { names: '["x","y"]', values: "[1.5,null]", digest: "d", error: null };

/** A journal of these runs, closed. */
const written = (...names: readonly string[]): string => {
  const path = fresh();
  const journal = JournalFile.begin(path, head);
  for (const name of names) journal.add(task(name), outcome);
  journal.close();
  return path;
};

describe("a journal", () => {
  test("gives back what was written, whatever names and errors contain", () => {
    const words = fc.string({ unit: "binary", maxLength: 20 });
    const tasks = fc.record({ name: words, sets: fc.array(words, { maxLength: 3 }), seed: fc.maxSafeNat() });
    const outcomes = fc.oneof(
      fc.record({ names: fc.constantFrom('["x"]', '["é","x"]'), values: fc.constantFrom("[1]", "[null,0.1]"), digest: words, error: fc.constant(null) }),
      fc.record({ names: fc.constant(null), values: fc.constant(null), digest: fc.constant(null), error: words }),
    );
    fc.assert(fc.property(fc.uniqueArray(fc.record({ task: tasks, outcome: outcomes }), { selector: (entry) => JSON.stringify(entry.task), maxLength: 20 }), (entries) => {
      const path = fresh();
      const journal = JournalFile.begin(path, head);
      for (const entry of entries) journal.add(entry.task, entry.outcome);
      journal.close();
      const again = JournalFile.resume(path, head);
      expect(again.found).toBe(entries.length);
      for (const entry of entries) expect(again.find(entry.task)).toEqual(entry.outcome);
      again.close();
    }), { seed: 1, numRuns: 100 });
  });

  test("knows nothing of other names, changes and seeds", () => {
    const journal = JournalFile.resume(written("a"), head);
    expect(journal.find(task("a"))).toEqual(outcome);
    expect([task("b"), { ...task("a"), sets: [] }, { ...task("a"), seed: 3 }].map((other) => journal.find(other))).toEqual([null, null, null]);
    journal.close();
  });

  test("cut anywhere, has the runs whose lines are whole, and goes on after them", () => {
    const whole = written("a", "b", "c");
    const { size } = statSync(whole);
    for (let length = 0; length < size; length += 7) {
      const path = fresh();
      writeFileSync(path, readFileSync(whole).subarray(0, length));
      const complete = readFileSync(path, "utf8").split('"values":[1.5,null]}\n').length - 1;
      const journal = JournalFile.resume(path, head);
      expect(journal.found).toBe(complete);
      journal.add(task("d"), outcome);
      journal.close();
      const again = JournalFile.resume(path, head);
      expect(again.found).toBe(complete + 1);
      expect(again.find(task("d"))).toEqual(outcome);
      again.close();
    }
  });

  test("finds each of many runs", () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `run ${i}`);
    const journal = JournalFile.resume(written(...names), head);
    expect(names.every((name) => journal.find(task(name)) !== null)).toBe(true);
    expect(journal.find(task("run 5000"))).toBeNull();
    journal.close();
  });

  test.each([
    ["another version", { ...head, labVersion: "2" }, "was written by infernet-lab 1; this is 2"],
    ["another command", { ...head, experiment: "sweep" }, "is of test, not of sweep"],
    ["another market", { ...head, market: "mg1" }, "is of another market: the scenario, a file that it names, or what --set changes, is not what it was"],
  ])("of %s is refused, and left as it was", (_, other, message) => {
    const path = written("a");
    const before = readFileSync(path, "utf8");
    expect(() => JournalFile.resume(path, other)).toThrow(JournalError);
    expect(() => JournalFile.resume(path, other)).toThrow(`${path} ${message}: its runs are not those of this experiment. Leave everything as it was, name another folder with --out, or remove the file to begin anew.`);
    expect(readFileSync(path, "utf8")).toBe(before);
  });

  test("with a line of something else is refused, with the line's number", () => {
    const path = written("a");
    appendFileSync(path, "what is this?\n");
    expect(() => JournalFile.resume(path, head)).toThrow(`${path}:4: this is no line of a journal of runs.`);
  });
});

describe("what a journal's runs have in common", () => {
  const { source, fileName, sets } = subject;
  const market = (text: string, changes: readonly string[] = sets): string => marketOf({ source: text, fileName, sets: changes }, loadScenario(text, fileName, { sets: changes }).hash);

  test("is the market, and neither its file's looks nor what it says of experiments", () => {
    expect(market(`# a remark\n${source}\nreplications: 7\n`)).toBe(market(source));
    expect(market(source.replace(/^seed: .*$/m, "seed: 99"))).not.toBe(market(source));
    expect(market(source, [...sets, "router.policy=random"])).not.toBe(market(source));
  });
});

describe("an experiment that was killed", () => {
  const script = fileURLToPath(new URL("testing/play-on.ts", import.meta.url));
  const play = (journal: string): { stdout: string; found: number; added: number } => {
    const { stdout, stderr } = spawnSync(process.execPath, [script, journal, "30"], { encoding: "utf8", maxBuffer: 1 << 28 });
    return { stdout, ...(JSON.parse(stderr) as { found: number; added: number }) };
  };

  test("goes on with what is missing, and comes to the same to the last byte", () => {
    const uninterrupted = play(fresh());
    expect(uninterrupted).toMatchObject({ found: 0, added: 34 });
    const journal = fresh();
    for (const added of ["7", "9"]) expect(spawnSync(process.execPath, [script, journal, "30", added]).signal).toBe("SIGKILL");
    // As if the last line had been half written.
    truncateSync(journal, statSync(journal).size - 5);
    const resumed = play(journal);
    expect(resumed).toMatchObject({ found: 15, added: 19 });
    expect(resumed.stdout).toBe(uninterrupted.stdout);
  });
});
