import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { contents, infernet, main, market, type Outcome, start, testFolder } from "./testing/process.ts";

const folder = testFolder("experiment");
/** All runs together take a second more than what ends them halfway may be late. */
const short = ["--set", "horizon=1h", "--set", "warmup=10s"];
const count = 24;
const command = (out: string, ...more: readonly string[]): string[] => ["run", market, ...short, "--replications", String(count), "--out", out, ...more];

/** Everything that a folder holds, by path. */
const files = (path: string): Map<string, string> =>
  new Map(contents(join(folder, path)).filter((name) => !name.endsWith("/")).map((name) => [name, readFileSync(join(folder, path, name), "latin1")]));

/** Sends a signal once the journal holds some runs. */
const signalled = async (signal: NodeJS.Signals, ...args: readonly string[]): Promise<Outcome> => {
  const journal = join(folder, args[args.indexOf("--out") + 1]!, "runs.journal");
  const { child, outcome } = start(folder, ...args);
  let over = false;
  void outcome.then(() => void (over = true));
  while (!over && (statSync(journal, { throwIfNoEntry: false })?.size ?? 0) < 50_000) await pause(2);
  child.kill(signal);
  return outcome;
};

let whole: Outcome;
beforeAll(() => void (whole = infernet(folder, ...command("whole", "--workers", "1"))));

describe("an experiment", () => {
  test("says how far it is, and leaves no journal when it is over", () => {
    expect(whole.status).toBe(0);
    expect(whole.stderr).toMatch(/^\d+ % \| replications \| \d+ of 24 runs\n/);
    expect(whole.stderr).toMatch(/100 % \| replications \| 24 of 24 runs\n$/);
    expect([...files("whole").keys()]).toContain("runs.csv");
    expect(existsSync(join(folder, "whole/runs.journal"))).toBe(false);
  });

  test("that was killed goes on with any number of workers, quietly if it is to, and writes the same to the last byte", async () => {
    expect((await signalled("SIGKILL", ...command("killed", "--workers", "1"))).status).toBe(null);
    expect(existsSync(join(folder, "killed/replications.json"))).toBe(false);
    expect(infernet(folder, ...command("killed", "--resume", "--workers", "3", "--quiet"))).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(files("killed")).toEqual(files("whole"));
  });

  test("that was interrupted reports what there is, and goes on where it is told to", async () => {
    const { status, stderr } = await signalled("SIGINT", ...command("cut", "--workers", "1"));
    expect(status).toBe(130);
    const [, played] = /Interrupted after (\d+) of 24 runs; the report covers what was played\.(?: \d+ runs? more (?:is|are) over and kept\.)?\nTo go on: \.\/infernet run .* --out cut --workers 1 --resume\n$/.exec(stderr)!;
    const report = JSON.parse(readFileSync(join(folder, "cut/replications.json"), "utf8")) as { runs: { played: number }; provenance: { interrupted: boolean } };
    expect(report.runs.played).toBe(Number(played));
    expect(report.provenance.interrupted).toBe(true);

    const unasked = infernet(folder, ...command("cut"));
    expect(unasked).toMatchObject({ status: 2, stdout: "" });
    expect(unasked.stderr).toContain("error: cut/runs.journal holds the runs of an experiment that was interrupted. Go on with it: ./infernet run ");

    const other = infernet(folder, ...command("cut", "--resume", "--set", "router.policy=random"));
    expect(other).toMatchObject({ status: 2, stdout: "" });
    expect(other.stderr).toContain("error: cut/runs.journal is of another market: ");

    const resumed = infernet(folder, ...command("cut", "--resume"));
    expect(resumed.status).toBe(0);
    expect(resumed.stderr).toMatch(/^\d+ runs of cut are played already\.\n/);
    expect(files("cut")).toEqual(files("whole"));
  });

  test("goes on from nothing as from the beginning", () => {
    const { status, stderr } = infernet(folder, ...command("fresh", "--resume", "--replications", "2"));
    expect(status).toBe(0);
    expect(stderr).toContain("There is no interrupted experiment in fresh; this one begins anew.\n");
  });

  test("cannot go on from nowhere", () => {
    expect(infernet(folder, "run", market, "--replications", "2", "--json", "--resume")).toMatchObject({ status: 2, stdout: "", stderr: "error: --resume goes on with what is in a folder; name it with --out.\n" });
  });
});

describe("runs that fail", () => {
  beforeAll(() => {
    mkdirSync(join(folder, "traces"));
    writeFileSync(join(folder, "traces/odd.csv"), "when,how much\n1,2\n");
    const plain = readFileSync(market, "utf8");
    writeFileSync(join(folder, "traces/odd.yaml"), plain.replace(/arrivals: .*/, "trace: odd.csv"));
    writeFileSync(join(folder, "traces/arms.yaml"), `${plain}\narms:\n  plain: {}\n  odd: { "clients.chat": { name: chat, model: "llama-3.1-8b:q4_k_m", trace: odd.csv, maxPrice: 1 sat } }\n`);
  });

  test("are told, with what plays each alone, and the others are reported", () => {
    const { status, stderr } = infernet(folder, "compare", "traces/arms.yaml", ...short, "--replications", "3", "--out", "arms");
    const [, error, command] = /3 of 6 runs failed, and have no part in the results:\n {2}.*odd.*, seed 5: TraceError: (.*)\n {4}\.\/infernet (run traces\/arms\.yaml --seed 5 --set .*)\n/.exec(stderr)!;
    expect(status).toBe(0);
    const alone = spawnSync("sh", ["-c", `"$0" "$1" ${command!}`, process.execPath, main], { cwd: folder, encoding: "utf8" });
    expect(alone.status).toBe(2);
    expect(alone.stderr).toContain(error);
  });

  test("all of them, leave nothing to report", () => {
    const before = contents(folder);
    const { status, stdout, stderr } = infernet(folder, "run", "traces/odd.yaml", ...short, "--replications", "2", "--out", "nothing");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/2 of 2 runs failed.*\nerror: no run could be played; there is nothing to report\.\n$/s);
    expect(contents(folder)).toEqual(before);
  });
});
