import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DraftFolder } from "./draft-folder.ts";
import { RUNS_FILES, RunsTable, runColumns } from "./runs-table.ts";
import type { FactorColumn, RunRow } from "./runs-table.ts";
import { query } from "./testing/duckdb.ts";

const factors: FactorColumn[] = [{ name: "router.fee.flat", numeric: true }, { name: "router.policy", numeric: false }];
const rows: RunRow[] = [
  { run: "point=0 replication=0", factors: [0, "cheapest"], replication: 0, seed: 1, error: null, digest: "aa", figures: { "market.revenueMsat": 1_000, "overall.latency.p95": null } },
  { run: "point=0 replication=1", factors: [0, "cheapest"], replication: 1, seed: 2 ** 53 - 1, error: "RangeError: \"no\", she said,\nand left", digest: null, figures: null },
  { run: "point=1 replication=0", factors: [0.1, "{power-of-two: {choices: 2}}"], replication: 0, seed: 1, error: null, digest: "bb", figures: { "overall.reasons.rejected.too-dear.jobs": 7, "market.revenueMsat": 0.1 + 0.2, "flows.a.b.tpot": -1.5e-9 } },
  { run: "point=1 replication=1", factors: [null, null], replication: null, seed: 0, error: null, digest: "cc", figures: {} },
];
let folder = "";
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), "runs-table-")); });
afterAll(() => rmSync(folder, { recursive: true }));

function write(path: string, all: Iterable<RunRow>): void {
  const draft = new DraftFolder(path, RUNS_FILES);
  const table = new RunsTable(draft, factors, { scenario: "toy" });
  for (const row of all) table.add(row);
  table.finish();
  draft.place();
}

describe("a table of runs", () => {
  test("is one file of text and one of Parquet, and nothing else", () => {
    write(join(folder, "a"), rows);
    expect(readdirSync(join(folder, "a")).sort()).toEqual(["runs.csv", "runs.parquet"]);
    expect(readFileSync(join(folder, "a", "runs.csv"), "utf8")).toBe(`run,router.fee.flat,router.policy,replication,seed,error,digest,market.revenueMsat,overall.latency.p95,overall.reasons.rejected.too-dear.jobs,flows.a.b.tpot
point=0 replication=0,0,cheapest,0,1,,aa,1000,,0,
point=0 replication=1,0,cheapest,1,9007199254740991,"RangeError: ""no"", she said,
and left",,,,,
point=1 replication=0,0.1,{power-of-two: {choices: 2}},0,1,,bb,0.30000000000000004,,7,-1.5e-9
point=1 replication=1,,,,0,,cc,,,0,
`);
  });

  test.each(["runs.csv", "runs.parquet"])("reads back in DuckDB to the last bit from %s", async (name) => {
    const read = await query(`from '${join(folder, "a", name)}'`);
    const columns = runColumns(factors, ["market.revenueMsat", "overall.latency.p95", "overall.reasons.rejected.too-dear.jobs", "flows.a.b.tpot"]).map((column) => column.name);
    expect(read).toHaveLength(4);
    expect(Object.keys(read[0]!)).toEqual(columns);
    expect(read.map((row) => row["market.revenueMsat"])).toEqual([1_000, null, 0.1 + 0.2, null]);
    expect(read.map((row) => row["seed"])).toEqual([1n, 2n ** 53n - 1n, 1n, 0n]);
    expect(read.map((row) => row["error"])).toEqual([null, rows[1]!.error, null, null]);
    expect(read.map((row) => row["router.policy"])).toEqual(["cheapest", "cheapest", "{power-of-two: {choices: 2}}", null]);
    expect(read.map((row) => row["router.fee.flat"])).toEqual([0, 0, 0.1, null]);
    expect(read.map((row) => Number(row["overall.reasons.rejected.too-dear.jobs"]))).toEqual([0, 0, 7, 0]);
    expect(read[1]!["overall.reasons.rejected.too-dear.jobs"]).toBeNull();
  });

  test("has the types that its columns say, and says what it is about", async () => {
    const path = join(folder, "a", "runs.parquet");
    const types = await query(`select column_name, column_type from (describe from '${path}')`);
    const expected = { text: "VARCHAR", integer: "BIGINT", number: "DOUBLE", flag: "BOOLEAN" };
    const columns = runColumns(factors, ["market.revenueMsat", "overall.latency.p95", "overall.reasons.rejected.too-dear.jobs", "flows.a.b.tpot"]);
    expect(types.map((row) => [row["column_name"], row["column_type"]])).toEqual(columns.map(({ name, type }) => [name, expected[type]]));
    const [about] = await query(`select decode(key) as key, decode(value) as value from parquet_kv_metadata('${path}')`);
    expect(about).toEqual({ key: "scenario", value: "toy" });
  });

  test("is there with all its columns where no run was over", async () => {
    write(join(folder, "none"), []);
    for (const name of RUNS_FILES) {
      const described = await query(`select column_name from (describe from '${join(folder, "none", name)}')`);
      expect(described.map((row) => row["column_name"])).toEqual(["run", "router.fee.flat", "router.policy", "replication", "seed", "error", "digest"]);
    }
    expect(await query(`from '${join(folder, "none", "runs.parquet")}'`)).toEqual([]);
  });

  test("has the same bytes each time, whatever the number of row groups", async () => {
    const many = function* (): Generator<RunRow> {
      for (let i = 0; i < 20_000; i++) yield { run: `point=${i}`, factors: [i / 10, i % 2 === 0 ? "even" : "odd"], replication: 0, seed: i, error: null, digest: "d".repeat(64), figures: { x: i, y: i % 3 === 0 ? null : i / 3, [`z${i % 30}`]: 1 } };
    };
    for (const name of ["many", "again"]) write(join(folder, name), many());
    for (const file of RUNS_FILES) expect(readFileSync(join(folder, "many", file)).equals(readFileSync(join(folder, "again", file))), file).toBe(true);
    for (const file of RUNS_FILES) {
      const [sums] = await query(`select count(*) as n, sum(x) as x, count(y) as y, sum(z7) as z, count(distinct "router.policy") as policies from '${join(folder, "many", file)}'`);
      expect(Object.values(sums!).map(Number)).toEqual([20_000, 20_000 * 19_999 / 2, 13_333, 667, 2]);
    }
    const [groups] = await query(`select count(distinct row_group_id) as n from parquet_metadata('${join(folder, "many", "runs.parquet")}')`);
    expect(Number(groups!["n"])).toBeGreaterThan(2);
  });

  test("keeps columns of one name apart", async () => {
    const draft = new DraftFolder(join(folder, "names"), RUNS_FILES);
    const table = new RunsTable(draft, [{ name: "seed", numeric: true }, { name: "market.revenueMsat", numeric: true }]);
    table.add({ ...rows[0]!, factors: [7, 8] });
    table.finish();
    draft.place();
    for (const file of RUNS_FILES) {
      const [row] = await query(`select "seed (2)" as factor, seed, "market.revenueMsat" as other, "market.revenueMsat (2)" as figure from '${join(folder, "names", file)}'`);
      expect(Object.values(row!).map(Number)).toEqual([7, 1, 8, 1_000]);
    }
  });

  test("leaves nothing behind where it is given up", () => {
    const path = join(folder, "given-up");
    const draft = new DraftFolder(path, RUNS_FILES);
    const table = new RunsTable(draft, factors);
    table.add(rows[0]!);
    table.close();
    draft.close();
    expect(readdirSync(folder)).not.toContain("given-up");
  });
});
