import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{protocol,scheduler,sim,live,reports,lab,cli,bench,notebooks,tools}/**/*.test.ts", "*.test.ts"],
    exclude: ["**/node_modules/**", "dist/**", "out/**"],
    // A property over many random markets takes seconds on a slow machine; what hangs should still end.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ["default", "./tools/count-reporter.ts"],
  },
});
