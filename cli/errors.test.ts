import { readFileSync } from "node:fs";
import { CommanderError } from "commander";
import { expect, test } from "vitest";
import { describeError, EXIT, UserError } from "./errors.ts";

const thrownBy = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

test("what the user can put right is one message without a stack", () => {
  expect(describeError(new UserError("seed is 'x', allowed are integers"), "infernet run a")).toEqual({
    text: "error: seed is 'x', allowed are integers",
    exitCode: EXIT.user,
  });
});

test("a missing file is the user's affair, by its path", () => {
  expect(describeError(thrownBy(() => readFileSync("/nowhere/a.yaml")))).toEqual({
    text: "error: /nowhere/a.yaml: there is no such file or folder",
    exitCode: EXIT.user,
  });
});

test("commander's complaints were printed already; asking for help is no failure", () => {
  expect(describeError(new CommanderError(1, "commander.unknownOption", "x"))).toEqual({ text: "", exitCode: EXIT.user });
  expect(describeError(new CommanderError(0, "commander.helpDisplayed", "x"))).toEqual({ text: "", exitCode: EXIT.ok });
});

test("a broken invariant asks for a report and says how to reproduce it", () => {
  const failure = describeError(Object.assign(new Error("money is not conserved"), { seed: 7 }), "infernet run a.yaml --seed 7");
  expect(failure.exitCode).toBe(EXIT.fault);
  expect(failure.text).toMatch(/Please report it/);
  expect(failure.text).toContain("To reproduce: infernet run a.yaml --seed 7");
  expect(failure.text).toContain("Seed: 7");
  expect(failure.text).toContain("money is not conserved");
});

test("even what is not an Error is described", () => {
  expect(describeError("just a word").text).toContain("just a word");
  expect(describeError(null).exitCode).toBe(EXIT.fault);
});
