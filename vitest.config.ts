import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One for each core: left to itself, vitest leaves one free, which is half of a small machine.
    maxWorkers: "100%",
    include: ["{input,protocol,scheduler,sim,live,reports,lab,cli,bench,notebooks,tools}/**/*.test.ts", "*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "out/**"],
    // A property over many random markets takes seconds, and a machine that has more to do ten times as long; what hangs should still end.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 10_000,
    reporters: ["default", "./tools/count-reporter.ts"],
  },
});
