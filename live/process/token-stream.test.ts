import { expect, test } from "vitest";
import { TokenStream } from "./token-stream.ts";

test("a reader gets each token once, also where the node says all again, and is told where an answer begins anew", async () => {
  const stream = new TokenStream();
  const add = (node: string, attempt: number, firstToken: number, tokens: number, text: string): void => stream.add({ type: "token-chunk", jobId: "j", attempt, firstToken, tokens, text }, node);
  add("a", 1, 0, 1, "A");
  add("a", 1, 1, 2, "BC");
  // The connection broke; the node says all that there is by now, and once more.
  add("a", 1, 0, 5, "ABCDE");
  add("a", 1, 0, 5, "ABCDE");
  add("a", 1, 5, 1, "F");
  add("b", 2, 0, 2, "xy");
  // Something was lost on the way, and is said again: what was shown was not the answer.
  add("b", 2, 3, 1, "w");
  add("b", 2, 0, 4, "xyzw");
  stream.end();
  const parts = [];
  for await (const { text, tokens, restarted } of stream) parts.push([text, tokens, restarted]);
  expect(parts).toEqual([["A", 1, false], ["BC", 2, false], ["DE", 2, false], ["F", 1, false], ["xy", 2, true], ["w", 1, false], ["xyzw", 4, true]]);
});
