import { expect, test } from "vitest";
import type { SerializedError, TestModule } from "vitest/node";
import { countTests } from "./count-reporter.ts";

type State = "passed" | "failed" | "skipped" | "pending";

const fakeModule = (states: readonly State[], options: { errors?: number; note?: string } = {}): TestModule => {
  const tests = states.map((state, index) => ({
    fullName: `test ${index}`,
    result: () => ({ state, note: state === "skipped" ? options.note : undefined }),
  }));
  const errors = Array.from({ length: options.errors ?? 0 }, () => ({ message: "broken" }));
  const module = {
    relativeModuleId: "sim/a.test.ts",
    errors: () => errors,
    children: { suites: () => [], allTests: () => tests },
  };
  return module as unknown as TestModule;
};

test("counts states, and a test without a result as failed", () => {
  const counts = countTests([fakeModule(["passed", "passed", "failed", "skipped", "pending"])], []);
  expect(counts).toMatchObject({ passed: 2, failed: 2, skipped: 1 });
});

test("a file that does not load and an error outside any test are failures", () => {
  const unhandled = [{ message: "late rejection" }] as SerializedError[];
  expect(countTests([fakeModule([], { errors: 1 })], unhandled)).toMatchObject({ passed: 0, failed: 2, skipped: 0 });
});

test("names what was skipped and why", () => {
  const counts = countTests([fakeModule(["skipped"], { note: "no trace here" })], []);
  expect(counts.skippedTitles).toEqual(["sim/a.test.ts > test 0 (no trace here)"]);
});
