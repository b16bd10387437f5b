import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nearest } from "../input/nearest.ts";
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
  throw new UserError(`there is no file ${given.trim() === "" ? JSON.stringify(given) : given}${meant === undefined ? "." : `; did you mean ${meant}?`} These scenarios come with infernet: ${shipped.join(", ")}.`);
};

/** More than any scenario needs; what is longer is something else, such as a trace or a device that never ends. */
const maxBytes = 1 << 24;

/**
 * Reads a scenario's file, or what a pipe gives.
 * @throws UserError where it is too long; the file system's error where it cannot be read
 */
export const readScenario = (path: string): Uint8Array => {
  const buffer = Buffer.allocUnsafe(maxBytes + 1);
  const descriptor = openSync(path, "r");
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length <= maxBytes; length += read) read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (length > maxBytes) throw new UserError(`${path} is longer than ${maxBytes >> 20} MiB; a scenario is a YAML file.`);
    return buffer.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
};
