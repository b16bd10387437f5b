import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { ProfileFileError, readMachineProfile } from "./read.ts";
import { testProfile } from "./testing/profiles.ts";

const text = JSON.stringify(testProfile(), null, 2);
const faults = (source: string): string => {
  try {
    readMachineProfile(source, "p.json");
  } catch (error) {
    expect(error).toBeInstanceOf(ProfileFileError);
    return (error as Error).message;
  }
  return "no fault";
};

describe("a machine profile's file", () => {
  test("is read as it was written", () => {
    expect(readMachineProfile(text, "p.json")).toEqual(testProfile());
  });

  test("keeps to the published schema, and what does not is refused by it too", () => {
    const validate = new Ajv2020({ strict: true }).compile(JSON.parse(readFileSync(new URL("../../protocol/profile.schema.json", import.meta.url), "utf8")) as object);
    expect([validate(JSON.parse(text)), validate.errors]).toEqual([true, null]);
    const { measured } = testProfile();
    for (const wrong of [{ date: "today" }, { measured: { ...measured, loadUs: -1 } }, { measured: { ...measured, decode: [{ batch: 1 }] } }, { more: 1 }]) expect(validate({ ...testProfile(), ...wrong })).toBe(false);
  });

  test.each([
    ["no JSON", "{", /^p\.json:1:\d+: found something that is no YAML/],
    ["nothing", "", /^p\.json:1:1: found an empty file; allowed: a machine profile: a map with at least schema, machine, model and measured/],
    ["a misspelt key", text.replace('"threads": 1,', '"thread": 1,'), /^p\.json:\d+:5: settings\.thread: found the unknown key "thread"; allowed: the keys .*; did you mean "threads"\?/m],
    ["a negative time", text.replace('"loadUs": 50000', '"loadUs": -1'), /^p\.json:\d+:15: measured\.loadUs: found -1; allowed: a number/m],
    ["another kind of file", text.replace("machine-profile", "viability-report"), /schema: found "infernet-lab\/viability-report"; allowed: infernet-lab\/machine-profile/],
    ["a later major version", text.replace('"1.0"', '"2.0"'), /schemaVersion: found "2\.0"/],
    ["a date for people", text.replace("2026-11-21T20:00:00Z", "yesterday"), /date: found "yesterday"/],
  ])("with %s is refused, and the message says where", (_, source, message) => {
    expect(faults(source)).toMatch(message);
  });
});
