import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nearest } from "../sim/scenario/nearest.ts";
import { UserError } from "./errors.ts";

/** The scenarios that come with the package lie beside the commands, in a checkout and among the built files alike. */
const shippedFolder = fileURLToPath(new URL("../scenarios", import.meta.url));

/** Names of the scenarios that come with the package, sorted. */
export const shippedScenarios = (): string[] =>
  existsSync(shippedFolder)
    ? readdirSync(shippedFolder)
        .filter((name) => name.endsWith(".yaml"))
        .map((name) => name.slice(0, -".yaml".length))
        .sort()
    : [];

/**
 * Finds a scenario: a path as it stands, or the name of one that comes with the package. `scenarios/NAME.yaml` works
 * from any folder, so that what the documentation says can be typed anywhere.
 * @throws UserError where there is no such file or name
 */
export const findScenario = (given: string): string => {
  if (existsSync(given)) {
    if (statSync(given).isDirectory()) throw new UserError(`${given} is a folder; a scenario is a YAML file.`);
    return given;
  }
  const name = /^(?:\.\/)?(?:scenarios\/)?([\w-]+)(?:\.ya?ml)?$/.exec(given)?.[1];
  const shipped = shippedScenarios();
  if (name !== undefined && shipped.includes(name)) return join(shippedFolder, `${name}.yaml`);
  const meant = name === undefined ? undefined : nearest(name, shipped);
  throw new UserError(`there is no file ${given}${meant === undefined ? "." : `; did you mean ${meant}?`} These scenarios come with infernet: ${shipped.join(", ")}.`);
};
