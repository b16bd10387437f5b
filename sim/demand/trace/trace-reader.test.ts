import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { TraceReader, type TraceOptions } from "./trace-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "trace-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;

function write(content: string | Buffer): string {
  const file = join(folder, `trace-${(files += 1)}.txt`);
  writeFileSync(file, content);
  return file;
}

function read(content: string | Buffer, options: TraceOptions = {}): { reader: TraceReader; rows: number[][]; blocks: number[][] } {
  const reader = new TraceReader(write(content), options);
  const rows: number[][] = [];
  const blocks: number[][] = [];
  while (reader.next()) {
    rows.push([reader.timeUs, reader.inputTokens, reader.outputTokens]);
    blocks.push([...reader.blocks.subarray(0, reader.blockCount)]);
  }
  return { reader, rows, blocks };
}

describe("each format is told from its first line and read", () => {
  test("Azure 2023", () => {
    const { reader, rows } = read("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 23:59:59.6805900,374,44\n2023-11-17 00:00:00.1805901,396,109");
    expect(reader).toMatchObject({ format: "azure", hasTimes: true, rows: 2, failedRows: 0, movedRows: 0 });
    expect(rows).toEqual([[0, 374, 44], [500_000, 396, 109]]);
  });

  test("Azure 2024, with Windows line breaks and a byte order mark", () => {
    const { rows } = read("\ufeffTIMESTAMP,ContextTokens,GeneratedTokens\r\n2024-05-10 00:00:00.009930+00:00,2162,5\r\n2024-05-10 00:00:01+00:00,2399,6\r\n");
    expect(rows).toEqual([[0, 2162, 5], [990_070, 2399, 6]]);
  });

  test("Mooncake", () => {
    const { reader, rows, blocks } = read(
      '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 2366]}\n{"output_length":7,"chat":{"id":-1,"n":[1,{"a":"}"}]},"x":null,"s":"a\\"]","hash_ids":[],"timestamp":30535.5,"input_length":6472}\n\n',
    );
    expect(reader).toMatchObject({ format: "mooncake", hasTimes: true });
    expect(rows).toEqual([[0, 6955, 52], [3_053_500, 6472, 7]]);
    expect(blocks).toEqual([[46, 47, 2366], []]);
  });

  test("BurstGPT with six columns, failed requests left out", () => {
    const { reader, rows } = read("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n45,ChatGPT,1087,0,1087,Conversation log\n118,GPT-4,417,276,693,API log\n");
    expect(reader).toMatchObject({ format: "burstgpt", failedRows: 1 });
    expect(rows).toEqual([[0, 472, 18], [113_000_000, 417, 276]]);
  });

  test("BurstGPT with eight columns", () => {
    const { rows } = read(
      'Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n19440110.0,1722ac82-0a46,43,GPT-4,906,446,1352,Conversation log\n19440161.0,,2,"Chat,GPT",36,29,65,API log\n',
    );
    expect(rows).toEqual([[0, 906, 446], [51_000_000, 36, 29]]);
  });

  test("Vidur, with and without arrival times, in any order of columns", () => {
    expect(read("arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,374,44\n4.314579,396,109\n").rows).toEqual([[0, 374, 44], [4_314_579, 396, 109]]);
    const { reader, rows } = read("num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n3772,54,3826,69.85\n0,156,156,0\n");
    expect(reader).toMatchObject({ format: "vidur", hasTimes: false });
    expect(rows).toEqual([[0, 3772, 54], [0, 1, 156]]);
    expect(read("num_decode_tokens,x,arrived_at,num_prefill_tokens\n44,?,9.5e-05,374\n").rows).toEqual([[0, 374, 44]]);
  });
});

describe("what cannot be read is named with file, line and what is expected", () => {
  const azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,2\n";
  const mooncake = '{"timestamp": 0, "input_length": 1, "output_length": 1}\n';
  test.each([
    ["", /trace-\d+\.txt: the file is empty/],
    ["when,how,much\n", /:1: found "when,how,much", expected the first line of a trace:\n {2}azure: TIMESTAMP/],
    ['{"name": "package"}\n', /:1: found .*expected the first line of a trace/],
    ["TIMESTAMP,ContextTokens\n", /:1: found/],
    [Buffer.from([0x1f, 0x8b, 8, 0]), /the file is compressed/],
    [`${azure}yesterday,1,2\n`, /:3: TIMESTAMP: found "yesterday", expected a time such as/],
    [`${azure}2023-11-16 18:15:47,many,2\n`, /:3: ContextTokens: found "many", expected a number of tokens/],
    [`${azure}2023-11-16 18:15:47,-1,2\n`, /:3: ContextTokens: found "-1"/],
    [`${azure}2023-11-16 18:15:47,1,99999999999\n`, /:3: GeneratedTokens: found "99999999999"/],
    [`${azure}2023-11-16 18:15:47,1,\n`, /:3: GeneratedTokens: found ""/],
    [`${azure}\n\n2023-11-16 18:15:47,1\n`, /:5: found 2 cells, expected 3: TIMESTAMP,ContextTokens,GeneratedTokens/],
    ["Timestamp,Model,Request tokens,Response tokens\nsoon,m,1,2\n", /:2: Timestamp: found "soon", expected a number of seconds/],
    [`${mooncake}{"timestamp": 0, "input_length": 1}\n`, /:2: output_length is missing/],
    [`${mooncake}{"timestamp": 0, "input_length": -4, "output_length": 1}\n`, /:2: column 34: found .*expected a number of tokens/],
    [`${mooncake}{"timestamp": "now", "input_length": 4, "output_length": 1}\n`, /:2: column 15: found .*expected a number of milliseconds/],
    [`${mooncake}{"timestamp": 0, "input_length": 4, "output_length": 1, "hash_ids": [1, "x"]}\n`, /:2: column \d+: found .*expected a block's number/],
    [`${mooncake}{"timestamp": 0, "input_length": 4, "output_length": 1\n`, /:2: column 55: found the end of the line, expected "}"/],
    [`${mooncake}not json\n`, /:2: column 1: found "not json", expected "{"/],
    [`${mooncake}{"timestamp": 0, "input_length": 4, "output_length": 1} {}\n`, /:2: column \d+: found "{}", expected nothing after/],
  ])("%j", (content, message) => {
    expect(() => read(content)).toThrow(message);
    expect(() => read(content)).toThrow(expect.objectContaining({ name: "TraceError" }) as Error);
  });

  test("a file that is not there, and a folder", () => {
    expect(() => new TraceReader(join(folder, "nowhere.csv"))).toThrow(/nowhere\.csv: there is no such file/);
    mkdirSync(join(folder, "inner"), { recursive: true });
    expect(() => new TraceReader(join(folder, "inner"))).toThrow(/inner: is a folder, not a trace file/);
  });
});

describe("rows out of order", () => {
  const rows = "arrived_at,num_prefill_tokens,num_decode_tokens\n10,1,1\n12,2,2\n11.5,3,3\n12.25,4,4\n";

  test("little disorder is put right and counted", () => {
    const { reader, rows: found } = read(rows);
    expect(reader.movedRows).toBe(1);
    expect(found).toEqual([[0, 1, 1], [2_000_000, 2, 2], [2_000_000, 3, 3], [2_250_000, 4, 4]]);
  });

  test("more is an error that names the line", () => {
    expect(() => read(rows, { disorderToleranceUs: 100_000 })).toThrow(/:4: this row is 0\.5 s earlier than one before it; sort the file by time/);
  });
});

test("a limit ends the reading, and reading on after the end gives nothing", () => {
  const { reader, rows } = read("num_prefill_tokens,num_decode_tokens\n1,1\n2,2\n3,3\n", { limit: 2 });
  expect(rows).toHaveLength(2);
  expect(reader.next()).toBe(false);
});

test("what was written is read back, whatever the lengths of lines and chunks", () => {
  const row = fc.record({ gap: fc.nat(5_000_000), input: fc.integer({ min: 1, max: 2 ** 31 - 1 }), output: fc.integer({ min: 1, max: 100_000 }), padding: fc.nat(3) });
  fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), fc.constantFrom(0, 3_000, 100_000, 300_000), fc.boolean(), (list, wide, last) => {
    let timeUs = 0;
    const expected: number[][] = [];
    const csv = ["arrived_at,comment,num_prefill_tokens,num_decode_tokens"];
    const json: string[] = [];
    for (const [at, { gap, input, output, padding }] of list.entries()) {
      if (at > 0) timeUs += gap;
      const comment = "c".repeat(padding * Math.floor(wide / (1 + at)));
      expected.push([timeUs, input, output]);
      csv.push(`${(timeUs / 1e6).toFixed(6)},${comment},${input},${output}`);
      json.push(`{"comment": "${comment}", "timestamp": ${(timeUs / 1e3).toFixed(3)}, "input_length": ${input}, "output_length": ${output}, "hash_ids": [${at}]}`);
    }
    const end = last ? "\n" : "";
    expect(read(csv.join("\n") + end).rows).toEqual(expected);
    const fromJson = read(json.join("\r\n") + end);
    expect(fromJson.rows).toEqual(expected);
    expect(fromJson.blocks).toEqual(list.map((_, at) => [at]));
  }), { seed: 1, numRuns: 60 });
});
