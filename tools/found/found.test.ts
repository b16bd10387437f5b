import { expect, test } from "vitest";
import { STUDIES } from "./studies.ts";
import { missingFrom } from "./study.ts";

const quick = STUDIES.filter((study) => study.quick === true);

test.each(quick.map((study) => [study.scenario, study] as const))("%s found what its description says; of the others `npm run found` tells", (_, study) => {
  expect(missingFrom(study)).toEqual([]);
});

test("a figure that the description does not have is told", () => {
  const [study] = quick as [(typeof quick)[0]];
  expect(missingFrom({ ...study, says: (of) => [...study.says(of), "revenue of 1 sat"] })).toEqual(["revenue of 1 sat"]);
});
