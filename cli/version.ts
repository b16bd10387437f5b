import { existsSync, readFileSync } from "node:fs";

/** The package's manifest lies one folder up in a checkout, and two up from the built files. */
const manifest = ["../package.json", "../../package.json"].map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url))!;

/** The version of this package. */
export const version: string = (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
