import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One for each core: left to itself, vitest leaves one free, which is half of a small machine.
    maxWorkers: "100%",
    include: ["{input,protocol,scheduler,sim,live,reports,lab,cli,bench,notebooks,tools}/**/*.test.ts", "*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "out/**"],
    // A property over many random markets takes seconds on a slow machine; what hangs should still end.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ["default", "./tools/count-reporter.ts"],
  },
});
