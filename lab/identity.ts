import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
/** What a run's result depends on. */
const rooms = ["protocol", "scheduler", "sim"];

let known: { readonly version: string; readonly code: string } | null = null;

/** Which lab this is: its version, and a digest of the code that plays runs. Whoever has another one plays other runs. */
export function labIdentity(): { readonly version: string; readonly code: string } {
  if (known !== null) return known;
  const hash = createHash("sha256");
  for (const room of rooms) {
    const files = readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).filter((name) => /\.(?:ts|js|json|jsonl|csv)$/.test(name) && !/\.test\.|\.d\.ts$|(?:^|[/\\])(?:testing|fixtures)[/\\]/.test(name)).sort();
    for (const name of files) hash.update(`${name}\0`).update(readFileSync(join(root, room, name))).update("\0");
  }
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return (known = { version, code: hash.digest("hex").slice(0, 12) });
}
