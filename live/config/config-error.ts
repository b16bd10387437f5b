import { LocatedError } from "../../input/problem.ts";

/** A file of settings that cannot be used. The message says where, what was found, what is allowed, and what was probably meant. */
export class ConfigError extends LocatedError {
  override readonly name = "ConfigError";
}
