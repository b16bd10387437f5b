import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "trace-memory-"));
afterAll(() => rmSync(folder, { recursive: true }));

function writeTrace(rows: number): string {
  const file = join(folder, `${rows}.csv`);
  writeFileSync(file, "arrived_at,num_prefill_tokens,num_decode_tokens\n");
  const descriptor = openSync(file, "a");
  let chunk = "";
  for (let row = 0; row < rows; row += 1) {
    chunk += `${row * 0.125},${1 + ((row * 7919) % 4_000)},${1 + ((row * 104_729) % 900)}\n`;
    if (row % 10_000 === 9_999 || row === rows - 1) {
      writeSync(descriptor, chunk);
      chunk = "";
    }
  }
  closeSync(descriptor);
  return file;
}

/** Peak memory of a process of its own that analyses the trace, bytes. */
function peakBytes(file: string): { rows: number; bytes: number } {
  const script = `
    const { analyseTrace, TraceReader } = await import(${JSON.stringify(new URL("../index.ts", import.meta.url).href)});
    const { rows } = analyseTrace(new TraceReader(${JSON.stringify(file)}));
    console.log(JSON.stringify({ rows, bytes: process.resourceUsage().maxRSS * 1024 }));`;
  return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" })) as { rows: number; bytes: number };
}

test("a long trace is analysed in no more memory than a short one", () => {
  const short = writeTrace(20_000);
  const long = writeTrace(2_000_000);
  const few = peakBytes(short);
  const many = peakBytes(long);
  expect(few.rows).toBe(20_000);
  expect(many.rows).toBe(2_000_000);
  expect(statSync(long).size).toBeGreaterThan(36e6);
  // The collector's own moods; a million rows held as bytes alone would be more.
  expect(many.bytes - few.bytes).toBeLessThan(16e6);
});
