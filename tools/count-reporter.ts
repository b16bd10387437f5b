import type { Reporter, SerializedError, TestModule, TestSuite } from "vitest/node";

/** What a test run came to. `failed` also counts suites and files that broke before their tests could run, and errors outside any test. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
  /** One line per skipped test: file, title and, where it was given, the reason. */
  skippedTitles: string[];
}

const brokenSuites = (container: TestModule | TestSuite): number => {
  let broken = container.errors().length > 0 ? 1 : 0;
  for (const suite of container.children.suites()) broken += brokenSuites(suite);
  return broken;
};

/** Counts a finished run. A test without a result (the run was cut off) counts as failed. */
export const countTests = (modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): TestCounts => {
  const counts: TestCounts = { passed: 0, failed: unhandledErrors.length, skipped: 0, skippedTitles: [] };
  for (const module of modules) {
    counts.failed += brokenSuites(module);
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === "passed") counts.passed++;
      else if (result.state === "skipped") {
        counts.skipped++;
        const note = result.note === undefined ? "" : ` (${result.note})`;
        counts.skippedTitles.push(`${module.relativeModuleId} > ${test.fullName}${note}`);
      } else counts.failed++;
    }
  }
  return counts;
};

/** Ends the output of a run with the line that scripts read, and before it names every skipped test with its reason. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = countTests(modules, unhandledErrors);
    for (const title of counts.skippedTitles) console.log(`skipped: ${title}`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}
