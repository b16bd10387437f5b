import { LocatedError } from "../../input/problem.ts";

/** A scenario that cannot be played. The message says where, what was found, what is allowed, and what was probably meant. */
export class ScenarioError extends LocatedError {
  override readonly name = "ScenarioError";
}
