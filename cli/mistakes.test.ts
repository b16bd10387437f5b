import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { contents, market, start, testFolder } from "./testing/process.ts";

const folder = testFolder("mistakes");
const sound = readFileSync(market, "utf8");

/** The market with one thing replaced. */
const changed = (from: string | RegExp, to: string): string => {
  const text = sound.replace(from, to);
  if (text === sound) throw new Error(`the market has no ${String(from)}`);
  return text;
};

const files: Readonly<Record<string, string | Uint8Array>> = {
  "ok.yaml": sound,
  "empty.yaml": "",
  "picture.yaml": Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0xff]),
  "packed.yaml": gzipSync(sound),
  "indented.yaml": "name: small\n  question: is this YAML?\n",
  "unclosed.yaml": changed("{ poisson: { rate: 1/s } }", "{ poisson: { rate: 1/s }"),
  "endless.yaml": "# nothing\n".repeat(1_700_000),
  "misspelt.yaml": changed("warmup", "warmpu"),
  "no-unit.yaml": changed("horizon: 10m", "horizon: 10"),
  "wrong-dimension.yaml": changed("horizon: 10m", "horizon: 10 sat"),
  "negative.yaml": changed("count: 3", "count: -3"),
  "negative-rate.yaml": changed("rate: 1/s", "rate: -1/s"),
  "too-big.yaml": changed("model: llama-3.1-8b:q4_k_m", "model: llama-3.1-70b:q4_k_m"),
  "nobody.yaml": `${sound.slice(0, sound.indexOf("clients:"))}clients: []\n`,
  "no-trace.yaml": changed(/arrivals: .*/, "trace: nowhere.csv"),
  "odd-trace.yaml": changed(/arrivals: .*/, "trace: odd.csv"),
  "odd.csv": "when,how much\n1,2\n",
  "empty-trace.yaml": changed(/arrivals: .*/, "trace: empty.csv"),
  "empty.csv": "",
  "folder-trace.yaml": changed(/arrivals: .*/, "trace: a-folder"),
  "torn-trace.yaml": changed(/arrivals: .*/, "trace: torn.csv"),
  "torn.csv": "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:1",
  "noise-trace.yaml": changed(/arrivals: .*/, "trace: noise.csv"),
  "noise.csv": Uint8Array.from({ length: 4_000 }, (_, i) => (i * 2_654_435_761) >>> 13),
  "a-file": "",
};

let before: string[] = [];
beforeAll(() => {
  mkdirSync(join(folder, "a-folder"));
  mkdirSync(join(folder, "taken/report.json"), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  symlinkSync("nowhere", join(folder, "a-dangling-link"));
  before = contents(folder);
});

const ok = ["run", "ok.yaml"] as const;

/** What is wrong, the command line, and what stderr says; " … " stands for anything within a line. */
const cases: readonly (readonly [string, readonly string[], string])[] = [
  ["a scenario that is not there", ["run", "no-such-market"], "error: there is no file no-such-market. These scenarios come with infernet: azure-conv, … "],
  ["a misspelt name of one that comes along", ["run", "quikstart"], "error: there is no file quikstart; did you mean quickstart? These scenarios … "],
  ["no name at all", ["run", ""], 'error: there is no file "". These scenarios come with infernet: … '],
  ["a folder", ["run", "a-folder"], "error: a-folder is a folder; a scenario is a YAML file."],
  ["an empty file", ["run", "empty.yaml"], "empty.yaml:1:1: found an empty file; allowed: a scenario: a map with at least name, question, horizon, operators and clients"],
  ["a picture", ["run", "picture.yaml"], "picture.yaml:1:1: found bytes that are no UTF-8 text; allowed: a YAML file in UTF-8"],
  ["a packed file", ["run", "packed.yaml"], "packed.yaml:1:1: found bytes that are no UTF-8 text; allowed: a YAML file in UTF-8"],
  ["a file without end", ["run", "endless.yaml"], "error: endless.yaml is longer than 16 MiB; a scenario is a YAML file."],
  ["wrong indentation", ["run", "indented.yaml"], "indented.yaml:1:7: found something that is no YAML ( … ); allowed: YAML 1.2\n  1 | name: small\n    |       ^"],
  ["a brace left open", ["run", "unclosed.yaml"], "unclosed.yaml:27:5: found something that is no YAML ( … ); allowed: YAML 1.2\n  27 |     inputTokens:  … \n     |     ^"],
  ["an unknown key", ["run", "misspelt.yaml"], 'misspelt.yaml:5:1: warmpu: found the unknown key "warmpu"; allowed: the keys  … ; did you mean "warmup"?\n  5 | warmpu: 1m\n    | ^'],
  ["no unit", ["run", "no-unit.yaml"], "no-unit.yaml:4:10: horizon: found 10, a number without a unit; allowed: a duration such as 250ms, 10s or 2h, above 0 (units: us, ms, s, min, h, d, w, y)\n  4 | horizon: 10\n    |          ^"],
  ["the wrong dimension", ["run", "wrong-dimension.yaml"], 'wrong-dimension.yaml:4:10: horizon: found "10 sat", an amount of money; allowed: a duration  … \n  4 | horizon: 10 sat\n    |          ^'],
  ["a negative number", ["run", "negative.yaml"], "negative.yaml:9:12: operators[0].count: found -3; allowed: a whole number from 0 to 1000000\n  9 |     count: -3\n    |            ^"],
  ["a negative quantity", ["run", "negative-rate.yaml"], 'negative-rate.yaml:26:34: clients[0].arrivals.poisson.rate: found "-1/s"; allowed: a rate such as 5/s, 300/min or 10/h, above 0\n  26 |  … \n     |  … ^'],
  ["a model too big for the machine", ["run", "too-big.yaml"], "too-big.yaml:11:12: operators[0].model: found llama-3.1-70b:q4_k_m, which takes 42.5 GB for weights and 10.7 GB for 32768 tokens of context; allowed: what fits into RTX 4090 with 25.8 GB, of which the engine and the system take a part: a smaller model,  … \n  11 |  … \n     |  … ^"],
  ["nobody who asks", ["run", "nobody.yaml"], "nobody.yaml:22:10: clients: found an empty list; allowed: a list of 1 to 1000 entries\n  22 | clients: []\n     |          ^"],
  ["a trace that is not there", ["run", "no-trace.yaml"], 'no-trace.yaml:26:12: clients[0].trace: found "nowhere.csv", which is not there; allowed: a file that can be read\n  26 |     trace: nowhere.csv\n     |            ^'],
  ["a trace of an unknown format", ["run", "odd-trace.yaml"], 'odd.csv:1: found "when,how much", expected the first line of a trace:\n  azure:  … \n  mooncake:  … \n  burstgpt:  … \n  vidur:  … '],
  ["a trace without a line", ["run", "empty-trace.yaml", "--events", "new/events.jsonl"], "empty.csv: the file is empty"],
  ["a folder for a trace", ["run", "folder-trace.yaml", "--out", "new/a/b"], "a-folder: is a folder, not a trace file"],
  ["a trace that was cut", ["run", "torn-trace.yaml", "--json"], 'torn.csv:3:  … found "2023-11-16 18:1", expected  … '],
  ["noise for a trace", ["run", "noise-trace.yaml"], "noise.csv:1: found  … , expected the first line of a trace:\n  azure:  … \n  mooncake:  … \n  burstgpt:  … \n  vidur:  … "],
  ["a file where the report should go", [...ok, "--out", "a-file"], "error: a-file is a file; a report needs a folder."],
  ["a report below a file", [...ok, "--out", "a-file/below"], "error:  … a-file/below: a part of the path is not a folder"],
  ["a report behind a dangling link", [...ok, "--out", "a-dangling-link"], "error:  … a-dangling-link: it exists already"],
  ["a folder in the report's way", [...ok, "--out", "taken"], "error: taken/report.json is a folder; the report's report.json belongs there."],
  ["a report without a name", [...ok, "--out", ""], "error: option '--out <folder>' argument '' is invalid. Allowed: a path.\n(infernet --help  … )"],
  ["a folder where the events should go", [...ok, "--out", "new", "--events", "a-folder"], "error: a-folder: it is a folder, not a file"],
  ["events below a file", [...ok, "--events", "a-file/events.jsonl"], "error: a-file/events.jsonl: a part of the path is not a folder"],
  ["events without a name", [...ok, "--events", ""], "error: option '--events <file>' argument '' is invalid. Allowed: a path.\n(infernet --help  … )"],
  ["a seed that is no number", [...ok, "--seed", "abc"], "error: option '--seed <number>' argument 'abc' is invalid. Allowed: a whole number from 0 to 9007199254740991.\n(infernet --help  … )"],
  ["a negative seed", [...ok, "--seed", "-1"], "error: option '--seed <number>' argument '-1' is invalid. Allowed: a whole number from 0 to 9007199254740991.\n(infernet --help  … )"],
  ["--set of what does not exist", [...ok, "--set", "router.polcy=random"], '--set router.polcy=random:1:8: router.polcy: found the unknown key "polcy"; allowed: the keys  … ; did you mean "policy"?\n  1 | router.polcy=random\n    |        ^'],
  ["--set of the wrong dimension", [...ok, "--set", "operators.desk.electricity=5 W"], '--set operators.desk.electricity=5 W:1:28: operators[0].electricity: found "5 W", a power; allowed: a price of energy such as  … \n  1 | operators.desk.electricity=5 W\n    |                            ^'],
  ["--set without a value", [...ok, "--set", "seed"], "error: option '--set <path=value>' argument 'seed' is invalid. Allowed: path=value, such as router.policy=cheapest.\n(infernet --help  … )"],
  ["--set of something that is no YAML", [...ok, "--set", "router={"], "--set router={:1:9: found something that is no YAML ( … ); allowed: a value in YAML\n  1 | router={\n    |         ^"],
  ["no scenario", ["run"], "error: missing required argument 'scenario'\n(infernet --help  … )"],
  ["two scenarios", [...ok, "other.yaml"], "error: too many arguments for 'run'. Expected 1 argument but got 2.\n(infernet --help  … )"],
  ["an unknown command", ["rnu"], "error: unknown command 'rnu'\n(Did you mean run?)\n(infernet --help  … )"],
  ["an unknown option", [...ok, "--quite"], "error: unknown option '--quite'\n(Did you mean --quiet?)\n(infernet --help  … )"],
  ["a job without a report", ["explain", "chat-1"], "error: required option '--report <folder>' not specified\n(infernet --help  … )"],
  ["a folder without a report", ["explain", "chat-1", "--report", "nowhere"], "error: there is no report in nowhere: nowhere/report.json is missing. ./infernet run SCENARIO --out nowhere makes one."],
];

const pattern = (text: string): RegExp => new RegExp(`^${text.split(" … ").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*")}\n$`);

describe("what the user can put right ends with exit code 2, one message, and no trace of it", () => {
  test.concurrent.each(cases)("%s", async (_name, args, message) => {
    const { status, stdout, stderr } = await start(folder, ...args).outcome;
    expect(stderr).toMatch(pattern(message));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  // Device files tell more than POSIX asks for.
  test.skipIf(!existsSync("/proc/version"))("a file system that takes no folders (/proc), where there is one", async () => {
    expect(await start(folder, ...ok, "--out", "/proc/report").outcome).toEqual({ status: 2, stdout: "", stderr: "error: /proc/report: there is no such file or folder\n" });
    expect(await start(folder, "run", "/dev/zero").outcome).toEqual({ status: 2, stdout: "", stderr: "error: /dev/zero is longer than 16 MiB; a scenario is a YAML file.\n" });
  });

  test("all these left the folder as it was", () => {
    expect(contents(folder)).toEqual(before);
  });
});
